import * as v from 'valibot';
import { enclaveEvidence } from '../protocol/messages/enclave-messages.ts';
import { machineKinds } from '../protocol/messages/evidence-messages.ts';
import { protectionLevel } from '../protocol/protection-level.ts';
import { hashField, modelField, timeMsField } from '../protocol/messages/fields.ts';
import { maximumDocumentLength } from '../protocol/contents/item-contents.ts';
import { decodeUtf8, encodeUtf8, equalBytes, fromBase64Url, toBase64Url } from '../protocol/bytes/bytes.ts';
import { decodeCanonicalJson, encodeCanonicalJson } from '../protocol/json/canonical-json.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled, sha256 } from '../protocol/bytes/hash.ts';
import { joinEvidenceDigests } from './evidence-digest.ts';
import { refusalCodes } from './evidence-step.ts';
import { documentedPolicy, enclavePolicy } from './policy.ts';
import { isSecondEnclave } from './second-enclave.ts';
import { type EnclaveQuestion, type EnclaveVerdict, verifyEnclave } from './verify-enclave.ts';

const text = v.pipe(v.string(), v.maxLength(1024));
const documentStep = v.strictObject({
  name: text,
  result: v.picklist(['enforced', 'failed', 'not-offered']),
  detail: text,
});
const steps = v.pipe(v.array(documentStep), v.maxLength(256));
/** What the verifier found, as it showed it. */
const documentResult = v.variant('refused', [
  v.strictObject({ refused: v.literal(true), code: v.picklist(refusalCodes), sentence: text, steps }),
  v.strictObject({
    refused: v.literal(false),
    sentence: text,
    kind: v.picklist(machineKinds),
    level: protectionLevel,
    measurement: v.nullable(text),
    release: v.nullable(text),
    model: modelField,
    steps,
  }),
]);
const { format, evidence, collateral, statement, signature, publicKeys } = enclaveEvidence.entries;
/** The answer as it came, without what nobody believes: progress and the pool's own name for it. */
const documentAnswer = v.strictObject({ format, evidence, collateral, statement, signature, publicKeys });

const entries = {
  /** Names what this file is wherever it lies. */
  format: v.literal('sotto-verification-1'),
  /** The client's clock; every step of the result was taken at this time. */
  verifiedAtMs: timeMsField,
  nonce: hashField,
  /** The model that was asked for, or `default`. */
  model: modelField,
  /** The person's own for the conversation. */
  minimum: protectionLevel,
  policy: documentedPolicy,
  /** One, or the two that one request was sealed to, in the order of its recipients. */
  enclaves: v.pipe(
    v.array(v.strictObject({ answer: documentAnswer, result: documentResult })),
    v.minLength(1),
    v.maxLength(2),
  ),
  /** What the sealed requests carry; null where an enclave was refused, and nothing sealed. */
  evidenceDigest: v.nullable(hashField),
};
/** All that one verification was made of and came to (SPEC.md §9.10). */
export const verificationDocument = v.strictObject({
  ...entries,
  /** SHA-256 over the other members: tells damage, proves nothing else. */
  digest: hashField,
});
export type VerificationDocument = v.InferOutput<typeof verificationDocument>;
export type DocumentResult = v.InferOutput<typeof documentResult>;
type Unsigned = Omit<VerificationDocument, 'digest'>;

/** One enclave as it was verified. */
export type Verified = { readonly answer: EnclaveQuestion['answer']; readonly verdict: EnclaveVerdict };

/**
 * Writes down a verification (SPEC.md §9.10).
 *
 * @param question - What all its enclaves were verified with.
 * @throws {CryptoError} `malformed` for a policy that is none.
 */
export function makeVerificationDocument(
  question: Omit<EnclaveQuestion, 'answer'>,
  enclaves: readonly Verified[],
): VerificationDocument {
  const policy = v.safeParse(enclavePolicy, question.policy);
  if (!policy.success) throw new CryptoError('malformed');
  const document: Unsigned = {
    format: 'sotto-verification-1',
    verifiedAtMs: question.nowMs,
    nonce: toBase64Url(question.nonce),
    model: question.model,
    minimum: question.minimum,
    policy: policy.output,
    enclaves: enclaves.map(({ answer, verdict }) => ({ answer: answerPart(answer), result: resultOf(verdict) })),
    evidenceDigest: evidenceDigestOf(enclaves.map(({ verdict }) => verdict)),
  };
  return { ...document, digest: digestOf(document) };
}

/** @returns canonical JSON of at most `maximumDocumentLength` bytes. @throws {CryptoError} `too-long`. */
export function encodeVerificationDocument(document: VerificationDocument): string {
  const encoded = encodeCanonicalJson(document);
  if (encoded.length > maximumDocumentLength) throw new CryptoError('too-long');
  return decodeUtf8(encoded);
}

/** @throws {CryptoError} `malformed` for anything but a whole, unchanged document. */
export function parseVerificationDocument(encoded: string): VerificationDocument {
  const document = decodeCanonicalJson(encodeUtf8(encoded), verificationDocument, maximumDocumentLength);
  const { digest, ...rest } = document;
  if (!equalBytes(fromBase64Url(digest), fromBase64Url(digestOf(rest)))) throw new CryptoError('malformed');
  return document;
}

export type Recheck = {
  /** It was accepted, and is accepted again with the same outcome. */
  readonly holds: boolean;
  /** Whether the policy given is the one in the document. */
  readonly isSamePolicy: boolean;
  readonly enclaves: readonly {
    readonly verdict: EnclaveVerdict;
    /** Members of the result that came out otherwise this time. */
    readonly differences: readonly string[];
  }[];
  readonly isSameDigest: boolean;
};

/**
 * Verifies again what a document says was verified, at the document's own time (SPEC.md §9.10).
 *
 * @param policy - The reader's own: a document cannot bring the measure that it is judged by.
 */
export async function recheckDocument(document: VerificationDocument, policy: unknown): Promise<Recheck> {
  const { verifiedAtMs, nonce, model, minimum } = document;
  const parsed = v.safeParse(enclavePolicy, policy);
  const isSamePolicy = parsed.success && isEqual(parsed.output, document.policy);
  const question = { nonce: fromBase64Url(nonce), model, minimum, policy, nowMs: verifiedAtMs };
  const enclaves: { verdict: EnclaveVerdict; differences: readonly string[] }[] = [];
  for (const { answer, result } of document.enclaves) {
    const verdict = await verifyEnclave({ ...question, answer });
    enclaves.push({ verdict, differences: differencesOf(result, resultOf(verdict), isSamePolicy) });
  }
  const verdicts = enclaves.map(({ verdict }) => verdict);
  const isSameDigest = evidenceDigestOf(verdicts) === document.evidenceDigest;
  const holds = isSealable(verdicts) && isSameDigest && enclaves.every(({ differences }) => differences.length === 0);
  return { holds, isSamePolicy, enclaves, isSameDigest };
}

/** Whether a client would have sealed one request to all of them: what is said of one is said of both. */
function isSealable([first, second]: readonly EnclaveVerdict[]): boolean {
  if (first?.refused !== false) return false;
  return second === undefined || (!second.refused && isSecondEnclave(first, second));
}

/** Under another policy the same evidence may be checked against more or less, which its steps then say. */
function differencesOf(before: DocumentResult, now: DocumentResult, isSamePolicy: boolean): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  if (!isSamePolicy) names.delete('steps');
  const member = (result: DocumentResult, name: string): unknown =>
    Object.entries(result).find(([each]) => each === name)?.[1] ?? null;
  return [...names].filter((name) => !isEqual(member(before, name), member(now, name)));
}

function isEqual(a: unknown, b: unknown): boolean {
  return equalBytes(encodeCanonicalJson(a), encodeCanonicalJson(b));
}

function answerPart(answer: EnclaveQuestion['answer']): VerificationDocument['enclaves'][number]['answer'] {
  const { evidence: list, collateral: given, statement: signed, signature: proof, publicKeys: keys } = answer;
  const part = { format: 1, evidence: list, statement: signed, signature: proof, publicKeys: keys } as const;
  // What no piece of evidence asks for is looked at by nobody: a relay does not fill vaults with it.
  const used = (given ?? []).filter((item) => list.some(({ kind }) => kind === item.kind));
  return used.length === 0 ? part : { ...part, collateral: used };
}

function resultOf(verdict: EnclaveVerdict): DocumentResult {
  const shortened = verdict.steps.map(({ name, result, detail }) => ({ name, result, detail: detail.slice(0, 1024) }));
  if (verdict.refused) return { refused: true, code: verdict.code, sentence: verdict.sentence, steps: shortened };
  const { sentence, kind, level, measurement, release, statement: signed } = verdict;
  return {
    refused: false,
    sentence,
    kind,
    level,
    measurement,
    release: release?.version ?? null,
    model: signed.model,
    steps: shortened,
  };
}

function evidenceDigestOf(verdicts: readonly EnclaveVerdict[]): string | null {
  const digests = verdicts.flatMap((verdict) => (verdict.refused ? [] : [verdict.evidenceDigest]));
  const [first, second] = digests;
  if (first === undefined || digests.length !== verdicts.length) return null;
  return toBase64Url(second === undefined ? first : joinEvidenceDigests(first, second));
}

function digestOf(document: Unsigned): string {
  return toBase64Url(sha256(labelled('sotto/v1/verification', encodeCanonicalJson(document))));
}
