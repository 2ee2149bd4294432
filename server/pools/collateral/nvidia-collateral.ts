import type { CollateralNeed, NvidiaGpuCollateral } from '../../../crypto/messages/evidence-messages.ts';
import type { DocumentCache } from './document-cache.ts';
import { readJsonObject } from './document-text.ts';
import { dayMs } from './fresh-for.ts';
import { fetchDocument, VendorRefused } from './vendor-fetch.ts';

export const nvidiaBaseUrl = 'https://rim.attestation.nvidia.com';

/** A manifest of 256 KiB as base64 in JSON. */
const answerLimit = 360_448;

type Need = Extract<CollateralNeed, { kind: 'nvidia-gpu' }>;

/**
 * The signed reference manifests of a driver and a VBIOS (NVIDIA RIM service, version 1), each once.
 *
 * @throws {VendorRefused}
 */
export async function fetchNvidiaCollateral(
  cache: DocumentCache,
  base: string,
  need: Need,
): Promise<NvidiaGpuCollateral> {
  const ids = [...new Set(need.manifestIds)];
  const referenceManifests = await Promise.all(ids.map((id) => fetchManifest(cache, base, id)));
  return { kind: 'nvidia-gpu', referenceManifests };
}

function fetchManifest(cache: DocumentCache, base: string, id: string): Promise<string> {
  // A path of dots would be another path.
  if (/^\.+$/.test(id)) return Promise.reject(new VendorRefused(null));
  const url = `${base}/v1/rim/${id}`;
  return cache.get(url, async () => {
    const { body } = await fetchDocument(new URL(url), answerLimit);
    const answer = readJsonObject(body.toString('utf8'));
    const { rim } = answer;
    if (answer['id'] !== id || typeof rim !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(rim)) {
      throw new VendorRefused(null);
    }
    return { value: Buffer.from(rim, 'base64').toString('utf8'), freshForMs: dayMs };
  });
}
