import { type Bytes, equalBytes, toHex } from '../../protocol/bytes/bytes.ts';
import { sha256 } from '../../protocol/bytes/hash.ts';
import { refuse } from '../evidence-step.ts';
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
  readonly stepName: string;
  readonly certificates: readonly Certificate[];
  readonly rootDigests: readonly Bytes[];
  readonly nowMs: number;
  readonly crls?: readonly RevocationList[];
  readonly understood?: readonly string[];
}): Promise<void> {
  const { stepName, certificates, rootDigests, nowMs, crls = [], understood = [] } = input;
  const root = certificates.at(-1);
  if (root === undefined || certificates.length < 2 || certificates.length > maximumCertificates) {
    refuse('chain', stepName, 'Not a chain from a certificate to a root.');
  }
  const rootDigest = sha256(root.raw);
  if (!rootDigests.some((digest) => equalBytes(digest, rootDigest))) {
    refuse('untrusted-root', stepName, 'The chain does not end at a root that this client trusts.');
  }
  // Root first, so that every key has been vouched for before it is used.
  for (let index = certificates.length - 1; index >= 0; index--) {
    const certificate = certificates[index] ?? root;
    const issuer = certificates[index + 1] ?? root;
    checkCertificate(certificate, index, stepName, [...understoodExtensions, ...understood]);
    await checkIssued(certificate, issuer, stepName);
    if (nowMs < certificate.notBeforeMs) refuse('not-yet-valid', stepName, 'A certificate is not valid yet.');
    if (nowMs > certificate.notAfterMs) refuse('expired', stepName, 'A certificate has expired.');
  }
  for (const list of crls) {
    const issuer = certificates.slice(1).find(({ subject }) => equalBytes(subject, list.issuer));
    if (issuer === undefined) refuse('chain', stepName, 'A revocation list is not of this chain.');
    await verifyRevocationList({ list, issuer, nowMs, stepName });
    for (const certificate of certificates) {
      const isItsOwn = equalBytes(certificate.issuer, list.issuer);
      if (isItsOwn && list.revokedSerialNumbers.has(toHex(certificate.serialNumber))) {
        refuse('revoked', stepName, 'A certificate has been revoked.');
      }
    }
  }
}

function checkCertificate(
  certificate: Certificate,
  index: number,
  stepName: string,
  understood: readonly string[],
): void {
  for (const [oid, { critical }] of certificate.extensions) {
    if (critical && !understood.includes(oid)) {
      refuse('chain', stepName, `A certificate has a critical extension that is not understood: ${oid}.`);
    }
  }
  const { isCa, keyUsage, pathLength } = certificate;
  if (index === 0) {
    if (!isCa && keyUsage !== null && !keyUsage.digitalSignature) {
      refuse('chain', stepName, 'The key of the certificate may not sign.');
    }
    return;
  }
  if (!isCa || keyUsage?.certificateSigning !== true) {
    refuse('chain', stepName, 'A certificate in the chain may not issue certificates.');
  }
  // `index - 1` authorities stand between this one and the leaf.
  if (pathLength !== null && index - 1 > pathLength) refuse('chain', stepName, 'The chain is longer than it may be.');
}

async function checkIssued(certificate: Certificate, issuer: Certificate, stepName: string): Promise<void> {
  const isNamed = equalBytes(certificate.issuer, issuer.subject);
  const isSigned =
    isNamed &&
    (await verifyDerSignature({
      subjectPublicKeyInfo: issuer.subjectPublicKeyInfo,
      algorithm: certificate.signatureAlgorithm,
      signature: certificate.signature,
      message: certificate.tbs,
    }));
  if (!isSigned) refuse('chain', stepName, 'A certificate was not issued by the next one of the chain.');
}
