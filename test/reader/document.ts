import { readCanonicalJson, writeCanonicalJson, type JsonObject } from './canonical-json.ts';
import { decodeBase64url, encodeBase64url, lp, sha256, utf8 } from './conventions.ts';
import * as json from './json-schema.ts';
import { refuse } from './refusal.ts';
import { evidenceDigest, verifyDevelopment } from './statement.ts';

const longestDocument = 8_388_608;
const isAnything: json.Check = (value) => value !== undefined;
const documentSchema = json.isObject({
  digest: json.isHash,
  enclaves: json.isListOf(1, 2, json.isObject({ answer: json.isJsonObject, result: json.isJsonObject })),
  evidenceDigest: json.isNullOr(json.isHash),
  format: json.isOneOf('sotto-verification-1'),
  minimum: json.isOneOf('any', 'stated', 'hardware', 'hardware-gpu'),
  model: json.isModel,
  nonce: json.isHash,
  policy: isAnything,
  verifiedAtMs: json.isTimeMs,
});

/** SPEC.md §9.10, form and digest. */
export function readDocument(text: string): JsonObject {
  const document = json.readObject(readCanonicalJson(utf8(text), longestDocument), documentSchema);
  const { digest, ...rest } = document;
  const counted = encodeBase64url(sha256(lp('sotto/v1/verification', writeCanonicalJson(rest))));
  return counted === digest ? document : refuse('malformed');
}

/** Whether a document of one development enclave holds for a reader who accepts those and asks for no more. */
export function doesDevelopmentHold(document: JsonObject): boolean {
  const [enclave] = document['enclaves'] as JsonObject[];
  const { answer, result } = enclave as { answer: JsonObject; result: JsonObject };
  const read = (name: string) => decodeBase64url(answer[name] as string);
  const [statement, signature] = [read('statement'), read('signature')];
  const publicKeys = (answer['publicKeys'] as string[]).map(decodeBase64url);
  const evidence = answer['evidence'] ?? null;
  const value = verifyDevelopment(
    { evidence, statement, signature, publicKeys },
    decodeBase64url(document['nonce'] as string),
    document['model'] as string,
  );
  const digest = encodeBase64url(evidenceDigest(evidence, statement, signature));
  return (
    document['minimum'] === 'any' &&
    document['evidenceDigest'] === digest &&
    result['refused'] === false &&
    result['level'] === 'any' &&
    result['model'] === value['model']
  );
}
