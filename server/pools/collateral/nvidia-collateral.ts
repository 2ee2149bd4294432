import type { CollateralNeed, RevocationId } from '../../../crypto/protocol/messages/evidence-messages.ts';
import { fromBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { tag, writeElement } from './der-elements.ts';
import type { DocumentCache } from './document-cache.ts';
import { readDerDocument, readJsonObject } from './document-text.ts';
import { dayMs, freshForMs, readAnswerDates } from './fresh-for.ts';
import { fetchDocument, VendorRefused } from './vendor-fetch.ts';

export const nvidiaBaseUrl = 'https://rim.attestation.nvidia.com';
export const nvidiaOcspUrl = 'https://ocsp.ndis.nvidia.com';

/** A manifest of 256 KiB as base64 in JSON. */
const manifestLimit = 360_448;
const answerLimit = 8_192;

type Need = Extract<CollateralNeed, { kind: 'nvidia-gpu' }>;

/**
 * The signed reference manifests of a driver and a VBIOS (NVIDIA RIM service, version 1), each once.
 *
 * @throws {VendorRefused}
 */
export async function fetchReferenceManifests(cache: DocumentCache, base: string, need: Need): Promise<string[]> {
  const ids = [...new Set(need.manifestIds)];
  return Promise.all(ids.map((id) => fetchManifest(cache, base, id)));
}

function fetchManifest(cache: DocumentCache, base: string, id: string): Promise<string> {
  // A path of dots would be another path.
  if (/^\.+$/.test(id)) return Promise.reject(new VendorRefused(null));
  const url = `${base}/v1/rim/${id}`;
  return cache.get(url, async () => {
    const { body } = await fetchDocument(new URL(url), manifestLimit);
    const answer = readJsonObject(body.toString('utf8'));
    const { rim } = answer;
    if (answer['id'] !== id || typeof rim !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(rim)) {
      throw new VendorRefused(null);
    }
    return { value: Buffer.from(rim, 'base64').toString('utf8'), freshForMs: dayMs };
  });
}

/**
 * Fetches NVIDIA's answers about certificates of GPUs (OCSP, RFC 6960), one question each. The question has no nonce, so that
 * one answer serves every client until it is due.
 *
 * @throws {VendorRefused} also where it answers that it does not say.
 */
export function fetchRevocationAnswer(cache: DocumentCache, base: string, id: RevocationId): Promise<string> {
  const key = `${base} ${id.issuerNameHash} ${id.issuerKeyHash} ${id.serialNumber}`;
  return cache.get(key, async () => {
    const question = { type: 'application/ocsp-request', body: writeQuestion(id) };
    const { body } = await fetchDocument(new URL(base), answerLimit, question);
    const dates = readAnswerDates(body);
    // A responder that knows no such certificate, or is not asked in its way, will not know it in a minute either.
    if (dates?.outcome !== 0) throw new VendorRefused(dates === null || dates.outcome === 3 ? null : 404);
    return { value: readDerDocument(body), freshForMs: freshForMs(dates.nextUpdateMs, Date.now()) };
  });
}

/** AlgorithmIdentifier of SHA-384. */
const sha384Identifier = Uint8Array.from(Buffer.from('300d06096086480165030402020500', 'hex'));

/** RFC 6960, section 4.1.1: OCSPRequest { TBSRequest { requestList { Request { CertID } } } }. */
function writeQuestion({ issuerNameHash, issuerKeyHash, serialNumber }: RevocationId): Uint8Array<ArrayBuffer> {
  const serial = fromBase64Url(serialNumber);
  const certificateId = writeElement(
    tag.sequence,
    sha384Identifier,
    writeElement(tag.octetString, fromBase64Url(issuerNameHash)),
    writeElement(tag.octetString, fromBase64Url(issuerKeyHash)),
    // Its first bit would be a sign.
    writeElement(tag.integer, (serial[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0), serial),
  );
  return [0, 1, 2, 3].reduce((content) => writeElement(tag.sequence, content), certificateId);
}
