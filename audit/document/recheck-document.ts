import * as v from 'valibot';
import type { CodedResult, VerificationDocument, WordedResult } from '../../crypto/evidence/document-formats.ts';
import { enclavePolicy } from '../../crypto/evidence/policy/policy.ts';
import { isSecondEnclave } from '../../crypto/evidence/second-enclave.ts';
import { evidenceDigestOf, resultOf } from '../../crypto/evidence/verification-document.ts';
import { type EnclaveVerdict, verifyEnclave } from '../../crypto/evidence/verify-enclave.ts';
import { equalBytes, fromBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import { writeProtection } from '../../crypto/protocol/contents/protection-sentence.ts';
import { encodeCanonicalJson } from '../../crypto/protocol/json/canonical-json.ts';
import { wordsOf } from './step-words.ts';

export type Recheck = {
  /** It was accepted, and is accepted again with the same outcome. */
  readonly holds: boolean;
  /** True if the policy given is the one in the document. */
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
    const verdict = await verifyEnclave({ ...question, attestation: answer });
    const now = document.format === 'sotto-verification-1' ? wordedResultOf(verdict) : resultOf(verdict);
    enclaves.push({ verdict, differences: differencesOf(result, now, isSamePolicy) });
  }
  const verdicts = enclaves.map(({ verdict }) => verdict);
  const isSameDigest = evidenceDigestOf(verdicts) === document.evidenceDigest;
  const holds = isSealable(verdicts) && isSameDigest && enclaves.every(({ differences }) => differences.length === 0);
  return { holds, isSamePolicy, enclaves, isSameDigest };
}

/** True if a client would have sealed one request to all of them: what is said of one is said of both. */
function isSealable([first, second]: readonly EnclaveVerdict[]): boolean {
  if (first?.refused !== false) return false;
  return second === undefined || (!second.refused && isSecondEnclave(first, second));
}

/** A verdict as builds that wrote format 1 put it. */
function wordedResultOf(verdict: EnclaveVerdict): WordedResult {
  const steps = verdict.steps.map(wordsOf);
  const result = resultOf(verdict);
  return result.refused
    ? { ...result, sentence: refusedSentence, steps }
    : { ...result, sentence: writeProtection(result), steps };
}

export const refusedSentence = 'This enclave could not be verified, so nothing is sent to it.';

/** Under another policy the same evidence may be checked against more or less, which its steps then say. */
function differencesOf(
  before: CodedResult | WordedResult,
  now: CodedResult | WordedResult,
  isSamePolicy: boolean,
): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  if (!isSamePolicy) names.delete('steps');
  const member = (result: object, name: string): unknown =>
    Object.entries(result).find(([each]) => each === name)?.[1] ?? null;
  return [...names].filter((name) => !isEqual(member(before, name), member(now, name)));
}

function isEqual(a: unknown, b: unknown): boolean {
  return equalBytes(encodeCanonicalJson(a), encodeCanonicalJson(b));
}
