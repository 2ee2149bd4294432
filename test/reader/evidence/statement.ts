import { readCanonicalJson, writeCanonicalJson, type Json, type JsonObject } from '../protocol/canonical-json.ts';
import { decodeBase64url, encodeBase64url, lp, sha256, type Bytes } from '../protocol/conventions.ts';
import { ed25519Sign, ed25519Verify } from '../primitives/ed25519.ts';
import * as json from '../protocol/json-schema.ts';
import { refuse } from '../protocol/refusal.ts';

const longestStatement = 4096;

const acceptForm = /^[a-z][a-z0-9-]{0,31}$/;
const isRisingNames: json.Check = (value) => {
  const names = value as string[];
  return names.every((name, place) => acceptForm.test(name) && (place === 0 || names[place - 1]! < name));
};
const shared = {
  nonce: json.isHash,
  issuedAtMs: json.isTimeMs,
  keys: json.isListOf(1, 4, json.isObject({ keyId: json.isHash, notAfterMs: json.isTimeMs })),
  model: json.isModel,
  weightsDigest: json.isNullOr(json.isHash),
  engine: json.isOneOf('openai', 'gguf', 'rehearsal'),
};
/** The schemas of SPEC.md §9.2. */
const statementSchema = json.isAnyOf(
  json.isObject({ format: json.isFormat, ...shared }),
  json.isObject({
    format: json.isOneOf(2),
    ...shared,
    accepts: json.isAllOf(json.isListOf(0, 32, json.isText(1, 32)), isRisingNames),
    contextTokens: json.isNullOr(json.isInteger(1, 1_000_000_000)),
  }),
);
const developmentEvidence = json.isListOf(
  1,
  1,
  json.isObject({ kind: json.isOneOf('development'), identityPublicKey: json.isBytes(32) }),
);

const signedBytes = (statement: Bytes): Bytes => lp('sotto/v1/key-statement', statement);

export function signStatement(seed: Bytes, value: JsonObject): { statement: Bytes; signature: Bytes } {
  if (!statementSchema(value)) refuse('invalid-argument');
  const statement = writeCanonicalJson(value);
  return { statement, signature: ed25519Sign(seed, signedBytes(statement)) };
}

/** Steps 3 and 4 of SPEC.md §9.4: signature, schema, nonce. */
export function readStatement(identity: Bytes, statement: Bytes, signature: Bytes, nonce: Bytes): JsonObject {
  if (!ed25519Verify(identity, signedBytes(statement), signature)) refuse('evidence-refused');
  const value = json.readObject(readCanonicalJson(statement, longestStatement), statementSchema);
  return value['nonce'] === encodeBase64url(nonce) ? value : refuse('evidence-refused');
}

/** Every request that is sealed on the ground of this verdict carries this (SPEC.md §9.4). */
export const evidenceDigest = (evidence: Json, statement: Bytes, signature: Bytes): Bytes =>
  sha256(lp('sotto/v1/evidence', writeCanonicalJson(evidence), statement, signature));

export type EvidenceAnswer = { evidence: Json; statement: Bytes; signature: Bytes; publicKeys: readonly Bytes[] };

/** All steps of SPEC.md §9.4 for a policy that allows development evidence alone and any model. */
export function verifyDevelopment(answer: EvidenceAnswer, nonce: Bytes, model: string): JsonObject {
  const [piece] = developmentEvidence(answer.evidence) ? (answer.evidence as JsonObject[]) : [];
  const identity = decodeBase64url((piece ?? refuse('evidence-refused'))['identityPublicKey'] as string);
  const value = readStatement(identity, answer.statement, answer.signature, nonce);
  const keys = value['keys'] as { keyId: string; notAfterMs: number }[];
  const isListed = keys.every(({ keyId, notAfterMs }, index) => {
    const publicKey = answer.publicKeys[index];
    const isSame = publicKey !== undefined && encodeBase64url(sha256(publicKey)) === keyId;
    return isSame && notAfterMs > (value['issuedAtMs'] as number);
  });
  if (!isListed || keys.length !== answer.publicKeys.length) refuse('evidence-refused');
  return model === 'default' || value['model'] === model ? value : refuse('evidence-refused');
}
