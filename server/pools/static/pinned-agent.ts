import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';

const certificateText = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,65536}-----END CERTIFICATE-----/g;

/** The certificates of a PEM text; null when it holds none, or something that is not one. */
export function readPinnedCertificates(text: string): readonly X509Certificate[] | null {
  try {
    const certificates = [...text.matchAll(certificateText)].map(([pem]) => new X509Certificate(pem));
    return certificates.length === 0 ? null : certificates;
  } catch {
    return null;
  }
}

/**
 * Connections to workers that show one of these very certificates and to nobody else, whatever their name is and whoever
 * signed them. One that has run out is refused like any other.
 */
export function createPinnedAgent(certificates: readonly X509Certificate[]): Agent {
  const pinned = new Set(certificates.map((certificate) => certificate.fingerprint256));
  return new Agent({
    keepAlive: true,
    maxFreeSockets: 64,
    ca: certificates.map((certificate) => certificate.toString()),
    // A pinned certificate needs no root behind it.
    allowPartialTrustChain: true,
    minVersion: 'TLSv1.2',
    // Its name is the certificate itself: an address may change.
    checkServerIdentity: (_host, shown) =>
      pinned.has(shown.fingerprint256) ? undefined : new Error('Another certificate than the pinned ones.'),
  });
}
