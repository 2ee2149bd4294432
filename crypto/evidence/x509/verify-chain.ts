import { type Bytes, equalBytes, toHex } from '../../protocol/bytes/bytes.ts';
import { sha256 } from '../../protocol/bytes/hash.ts';
import { type CheckCode, refuse } from '../policy/evidence-step.ts';
import type { Certificate } from './certificate.ts';
import { type RevocationList, verifyRevocationList } from './revocation-list.ts';
import { verifyDerSignature } from './signature.ts';

const maximumCertificates = 8;
/** Key usage and basic constraints: read by parseCertificate, checked here. */
const understoodExtensions = new Set(['2.5.29.15', '2.5.29.19']);

/**
 * Checks a chain from its leaf to a pinned root (RFC 5280 §6.1, without names and policies, which no vendor here uses).
 *
 * A leaf may be a certificate authority (one that signs revocation lists): what it is for is the caller's check.
 *
 * @param input.certificates - Leaf first, root last; at least two.
 * @param input.rootDigests - SHA-256 of the DER of each root that is trusted.
 * @param input.crls - Each must be signed by a certificate of this chain; which ones are needed is the caller's check.
 * @param input.understood - Further critical extensions (dotted) that the caller reads itself.
 * @throws {EvidenceRefused} `chain`, `untrusted-root`, `not-yet-valid`, `expired`, `revoked`, and for revocation lists
 *   `signature` and `outdated-collateral`.
 */
export async function verifyChain(input: {
  readonly check: CheckCode;
  readonly certificates: readonly Certificate[];
  readonly rootDigests: readonly Bytes[];
  readonly nowMs: number;
  readonly crls?: readonly RevocationList[];
  readonly understood?: readonly string[];
}): Promise<void> {
  const { check, certificates, rootDigests, nowMs, crls = [], understood = [] } = input;
  const root = certificates.at(-1);
  if (root === undefined || certificates.length < 2 || certificates.length > maximumCertificates) {
    refuse('chain', check, 'no-chain');
  }
  const rootDigest = sha256(root.raw);
  if (!rootDigests.some((digest) => equalBytes(digest, rootDigest))) {
    refuse('untrusted-root', check, 'root-not-trusted');
  }
  // Root first, so that every key has been vouched for before it is used.
  for (let index = certificates.length - 1; index >= 0; index--) {
    const certificate = certificates[index] ?? root;
    const issuer = certificates[index + 1] ?? root;
    checkCertificate(certificate, index, check, [...understoodExtensions, ...understood]);
    await checkIssued(certificate, issuer, check);
    if (nowMs < certificate.notBeforeMs) refuse('not-yet-valid', check, 'certificate-of-future');
    if (nowMs > certificate.notAfterMs) refuse('expired', check, 'certificate-expired');
  }
  for (const list of crls) {
    const issuer = certificates.slice(1).find(({ subject }) => equalBytes(subject, list.issuer));
    if (issuer === undefined) refuse('chain', check, 'list-of-other-chain');
    await verifyRevocationList({ list, issuer, nowMs, check });
    for (const certificate of certificates) {
      const isItsOwn = equalBytes(certificate.issuer, list.issuer);
      if (isItsOwn && list.revokedSerialNumbers.has(toHex(certificate.serialNumber))) {
        refuse('revoked', check, 'certificate-revoked');
      }
    }
  }
}

function checkCertificate(
  certificate: Certificate,
  index: number,
  check: CheckCode,
  understood: readonly string[],
): void {
  for (const [oid, { critical }] of certificate.extensions) {
    if (critical && !understood.includes(oid)) {
      refuse('chain', check, 'critical-extension', { oid });
    }
  }
  const { isCa, keyUsage, pathLength } = certificate;
  if (index === 0) {
    if (!isCa && keyUsage !== null && !keyUsage.digitalSignature) {
      refuse('chain', check, 'key-may-not-sign');
    }
    return;
  }
  if (!isCa || keyUsage?.certificateSigning !== true) {
    refuse('chain', check, 'may-not-issue');
  }
  // `index - 1` authorities stand between this one and the leaf.
  if (pathLength !== null && index - 1 > pathLength) refuse('chain', check, 'chain-too-long');
}

async function checkIssued(certificate: Certificate, issuer: Certificate, check: CheckCode): Promise<void> {
  const isNamed = equalBytes(certificate.issuer, issuer.subject);
  const isSigned =
    isNamed &&
    (await verifyDerSignature({
      subjectPublicKeyInfo: issuer.subjectPublicKeyInfo,
      algorithm: certificate.signatureAlgorithm,
      signature: certificate.signature,
      message: certificate.tbs,
    }));
  if (!isSigned) refuse('chain', check, 'not-issued-by-next');
}
