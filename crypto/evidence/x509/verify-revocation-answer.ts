import { type Bytes, equalBytes } from '../../protocol/bytes/bytes.ts';
import { sha256, sha384 } from '../../protocol/bytes/hash.ts';
import { type CheckCode, refuse } from '../policy/evidence-step.ts';
import type { Certificate } from './certificate.ts';
import {
  type AnswerDelegate,
  type CertificateStatus,
  type IdHash,
  readKeyBits,
  type RevocationAnswer,
} from './revocation-answer.ts';
import { verifyDerSignature } from './signature.ts';

/** The part of an answer that counts: `stale` is one that was not made for now, whatever it says. */
export type RevocationFinding = 'good' | 'unknown' | 'stale';

const signingAnswersOid = '1.3.6.1.5.5.7.3.9';
/** Key usage, basic constraints and purposes: all are looked at. */
const understoodExtensions = ['2.5.29.15', '2.5.29.19', '2.5.29.37'];
const dayMs = 86_400_000;
/** However long an issuer says that its answer holds. */
const longestMs = 7 * dayMs;
/** An answer begins when it is asked for: to a device whose clock is slow it is one of the future. */
const slowClockMs = dayMs;

/**
 * Believes an answer about one certificate for its signature and its dates. The issuer signs, or a key that the issuer
 * certified for that (RFC 6960 §4.2.2.2). That a certificate was revoked counts on every date.
 *
 * @param input.issuer - The certificate's issuer, already verified itself.
 * @returns null where it says nothing of this certificate.
 * @throws {EvidenceRefused} `revoked`, `malformed`, `chain`, `signature`.
 */
export async function verifyRevocationAnswer(input: {
  readonly answer: RevocationAnswer;
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly nowMs: number;
  readonly check: CheckCode;
}): Promise<RevocationFinding | null> {
  const { answer, certificate, issuer, nowMs, check } = input;
  const found: CertificateStatus[] = [];
  for (const status of answer.statuses) if (await isAbout(status, certificate, issuer)) found.push(status);
  const [own, ...others] = found;
  if (own === undefined) return null;
  // With two, the reader would choose which one counts.
  if (others.length > 0) refuse('malformed', check, 'answer-twice');

  const signer = await findSigner(answer, issuer);
  if (signer === null) refuse('chain', check, 'answer-of-other-signer');
  const isSigned = await verifyDerSignature({
    subjectPublicKeyInfo: signer.subjectPublicKeyInfo,
    algorithm: answer.signatureAlgorithm,
    signature: answer.signature,
    message: answer.tbs,
  });
  if (!isSigned) refuse('signature', check, 'answer-not-signed');
  if (own.status === 'revoked') refuse('revoked', check, 'certificate-revoked-or-held');

  const untilMs = Math.min(own.nextUpdateMs ?? 0, own.thisUpdateMs + longestMs, signer.notAfterMs);
  const isOfNow = nowMs <= untilMs && nowMs >= own.thisUpdateMs - slowClockMs && nowMs >= signer.notBeforeMs;
  return isOfNow ? own.status : 'stale';
}

async function isAbout(status: CertificateStatus, certificate: Certificate, issuer: Certificate): Promise<boolean> {
  return (
    equalBytes(status.serialNumber, certificate.serialNumber) &&
    equalBytes(status.issuerNameHash, await hashWith(status.hash, issuer.subject)) &&
    equalBytes(status.issuerKeyHash, await hashWith(status.hash, readKeyBits(issuer)))
  );
}

/** The issuer itself, or the one whose certificate came along, if the issuer certified it for answers. */
async function findSigner(answer: RevocationAnswer, issuer: Certificate): Promise<Certificate | null> {
  if (await isNamed(answer, issuer, readKeyBits(issuer))) return issuer;
  for (const delegate of answer.delegates) {
    const { certificate, keyBits } = delegate;
    if ((await isNamed(answer, certificate, keyBits)) && (await isDelegate(delegate, issuer))) return certificate;
  }
  return null;
}

async function isNamed({ signer }: RevocationAnswer, { subject }: Certificate, keyBits: Bytes): Promise<boolean> {
  return equalBytes(signer.value, signer.by === 'name' ? subject : await hashWith('SHA-1', keyBits));
}

async function isDelegate({ certificate, purposes }: AnswerDelegate, issuer: Certificate): Promise<boolean> {
  const isFit =
    !certificate.isCa &&
    certificate.keyUsage?.digitalSignature !== false &&
    purposes.includes(signingAnswersOid) &&
    [...certificate.extensions].every(([oid, { critical }]) => !critical || understoodExtensions.includes(oid));
  return (
    isFit &&
    equalBytes(certificate.issuer, issuer.subject) &&
    verifyDerSignature({
      subjectPublicKeyInfo: issuer.subjectPublicKeyInfo,
      algorithm: certificate.signatureAlgorithm,
      signature: certificate.signature,
      message: certificate.tbs,
    })
  );
}

async function hashWith(hash: IdHash, bytes: Bytes): Promise<Bytes> {
  if (hash === 'SHA-256') return sha256(bytes);
  if (hash === 'SHA-384') return sha384(bytes);
  return new Uint8Array(await crypto.subtle.digest('SHA-1', bytes));
}
