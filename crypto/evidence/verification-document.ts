import * as v from 'valibot';
import { maximumDocumentLength } from '../protocol/contents/item-contents.ts';
import { decodeUtf8, encodeUtf8, equalBytes, fromBase64Url, toBase64Url } from '../protocol/bytes/bytes.ts';
import { decodeCanonicalJson, encodeCanonicalJson } from '../protocol/json/canonical-json.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled, sha256 } from '../protocol/bytes/hash.ts';
import {
  type CodedDocument,
  type CodedResult,
  laterDocument,
  type VerificationDocument,
  verificationDocument,
} from './document-formats.ts';
import { joinEvidenceDigests } from './evidence-digest.ts';
import { enclavePolicy } from './policy/policy.ts';
import type { EnclaveQuestion, EnclaveVerdict } from './verify-enclave.ts';

/** One enclave as it was verified. */
export type Verified = { readonly attestation: EnclaveQuestion['attestation']; readonly verdict: EnclaveVerdict };

/**
 * Writes down a verification (SPEC.md §9.10).
 *
 * @param question - All its enclaves were verified with it.
 * @throws {CryptoError} `malformed` for a policy that is none.
 */
export function makeVerificationDocument(
  question: Omit<EnclaveQuestion, 'attestation'>,
  enclaves: readonly Verified[],
): CodedDocument {
  const policy = v.safeParse(enclavePolicy, question.policy);
  if (!policy.success) throw new CryptoError('malformed');
  const document: Omit<CodedDocument, 'digest'> = {
    format: 'sotto-verification-2',
    verifiedAtMs: question.nowMs,
    nonce: toBase64Url(question.nonce),
    model: question.model,
    minimum: question.minimum,
    policy: policy.output,
    enclaves: enclaves.map(({ attestation, verdict }) => ({
      answer: attestationPart(attestation),
      result: resultOf(verdict),
    })),
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

/**
 * Reads a document of this build's format or an earlier one.
 *
 * @throws {CryptoError} `unsupported-version` for a later format, `malformed` for anything else but a whole, unchanged document.
 */
export function parseVerificationDocument(encoded: string): VerificationDocument {
  const bytes = encodeUtf8(encoded);
  const document = decodeDocument(bytes);
  const { digest, ...rest } = document;
  if (!equalBytes(fromBase64Url(digest), fromBase64Url(digestOf(rest)))) throw new CryptoError('malformed');
  return document;
}

function decodeDocument(bytes: Uint8Array): VerificationDocument {
  try {
    return decodeCanonicalJson(bytes, verificationDocument, maximumDocumentLength);
  } catch (error) {
    if (isOfLaterFormat(bytes)) throw new CryptoError('unsupported-version');
    throw error;
  }
}

function isOfLaterFormat(bytes: Uint8Array): boolean {
  try {
    decodeCanonicalJson(bytes, laterDocument, maximumDocumentLength);
    return true;
  } catch {
    return false;
  }
}

function attestationPart(attestation: EnclaveQuestion['attestation']): CodedDocument['enclaves'][number]['answer'] {
  const { evidence: list, collateral: given, statement: signed, signature: proof, publicKeys: keys } = attestation;
  const part = { format: 1, evidence: list, statement: signed, signature: proof, publicKeys: keys } as const;
  // Nobody looks at collateral that no piece of evidence asks for: a relay does not fill vaults with it.
  const used = (given ?? []).filter((item) => list.some(({ kind }) => kind === item.kind));
  return used.length === 0 ? part : { ...part, collateral: used };
}

/** A verdict as a document holds it. */
export function resultOf(verdict: EnclaveVerdict): CodedResult {
  const steps = verdict.steps.map((step) => ({ ...step, values: { ...step.values } }));
  if (verdict.refused) return { refused: true, code: verdict.code, steps };
  const { kind, level, measurement, release, statement: signed } = verdict;
  return { refused: false, kind, level, measurement, release: release?.version ?? null, model: signed.model, steps };
}

/** A request carries this digest when it is sealed on the ground of these verdicts; null where one refuses. */
export function evidenceDigestOf(verdicts: readonly EnclaveVerdict[]): string | null {
  const digests = verdicts.flatMap((verdict) => (verdict.refused ? [] : [verdict.evidenceDigest]));
  const [first, second] = digests;
  if (first === undefined || digests.length !== verdicts.length) return null;
  return toBase64Url(second === undefined ? first : joinEvidenceDigests(first, second));
}

function digestOf(document: Omit<VerificationDocument, 'digest'>): string {
  return toBase64Url(sha256(labelled('sotto/v1/verification', encodeCanonicalJson(document))));
}
