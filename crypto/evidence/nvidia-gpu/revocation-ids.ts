import type { NvidiaGpuEvidence, RevocationId } from '../../protocol/messages/evidence-messages.ts';
import { fromBase64Url, toBase64Url } from '../../protocol/bytes/bytes.ts';
import { sha384 } from '../../protocol/bytes/hash.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { readKeyBits } from '../x509/revocation-answer.ts';

export type IssuedCertificate = { readonly certificate: Certificate; readonly issuer: Certificate };

/**
 * The certificates of a chain about which NVIDIA answers: all but the root and the first, which each chip issues to its own
 * firmware (NVIDIA nvtrust, ocsp_certificate_chain_validation).
 */
export function listRevocable(chain: readonly Certificate[]): IssuedCertificate[] {
  return chain.slice(1, -1).flatMap((certificate, index) => {
    const issuer = chain[index + 2];
    return issuer === undefined ? [] : [{ certificate, issuer }];
  });
}

/**
 * The certificates about which a client needs NVIDIA's answer, as an OCSP request names them: for `collateralNeeds`.
 *
 * @returns Each once.
 * @throws {CryptoError} `malformed` for certificates that no client could read.
 */
export function listRevocationIds(devices: NvidiaGpuEvidence['devices']): RevocationId[] {
  const ids = new Map<string, RevocationId>();
  for (const { certificates } of devices) {
    const chain = certificates.map((der) => parseCertificate(fromBase64Url(der)));
    for (const { certificate, issuer } of listRevocable(chain)) {
      const id = {
        issuerNameHash: toBase64Url(sha384(issuer.subject)),
        issuerKeyHash: toBase64Url(sha384(readKeyBits(issuer))),
        serialNumber: toBase64Url(certificate.serialNumber),
      };
      ids.set(Object.values(id).join(' '), id);
    }
  }
  return [...ids.values()];
}
