import type { CollateralNeed, SevSnpCollateral } from '../../../crypto/protocol/messages/evidence-messages.ts';
import { fromBase64Url, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import type { DocumentCache } from './document-cache.ts';
import { readDerDocument, readPemChain } from './document-text.ts';
import { dayMs, freshForMs, readNextUpdateMs, unchangingMs } from './fresh-for.ts';
import { fetchDocument, inTime, VendorRefused } from './vendor-fetch.ts';

export const amdBaseUrl = 'https://kdsintf.amd.com';

const certificateLimit = 8_192;
const chainLimit = 32_768;
const listLimit = 65_536;

type Need = Extract<CollateralNeed, { kind: 'sev-snp' }>;

/**
 * The chain of one chip at one firmware, and what its vendor has revoked (AMD 57230, Versioned Chip Endorsement Key
 * Certificate and KDS Interface Specification, section 4).
 *
 * @throws {VendorRefused} without the chain; the list is left out where there is none in time.
 */
export async function fetchAmdCollateral(
  cache: DocumentCache,
  base: string,
  need: Need,
  listPatienceMs: number,
): Promise<SevSnpCollateral> {
  const [vcek, [ask, ark], revocationList] = await Promise.all([
    fetchChipKey(cache, base, need),
    fetchIssuers(cache, base, need.product),
    inTime(fetchRevocations(cache, base, need.product), listPatienceMs).catch(() => null),
  ]);
  return { kind: 'sev-snp', vcek, ask, ark, ...(revocationList !== null && { revocationList }) };
}

function fetchChipKey(cache: DocumentCache, base: string, need: Need): Promise<string> {
  const { firmware, bootLoader, tee, snp, microcode } = need.tcb;
  const levels: [string, number][] = [
    ...(firmware === null ? [] : ([['fmcSPL', firmware]] satisfies [string, number][])),
    ['blSPL', bootLoader],
    ['teeSPL', tee],
    ['snpSPL', snp],
    ['ucodeSPL', microcode],
  ];
  const query = levels.map(([name, level]) => `${name}=${String(level).padStart(2, '0')}`).join('&');
  const path = `/vcek/v1/${need.product}/${toHex(fromBase64Url(need.chipId))}?${query}`;
  return cache.get(`${base}${path}`, async () => {
    const { body } = await fetchDocument(new URL(base + path), certificateLimit);
    return { value: readDerDocument(body), freshForMs: unchangingMs };
  });
}

/** ASK, then ARK. */
function fetchIssuers(cache: DocumentCache, base: string, product: string): Promise<[string, string]> {
  const path = `/vcek/v1/${product}/cert_chain`;
  return cache.get(base + path, async () => {
    const { body } = await fetchDocument(new URL(base + path), chainLimit);
    const [ask, ark, ...more] = readPemChain(body.toString('latin1'));
    if (ask === undefined || ark === undefined || more.length > 0) throw new VendorRefused(null);
    return { value: [ask, ark], freshForMs: dayMs };
  });
}

function fetchRevocations(cache: DocumentCache, base: string, product: string): Promise<string> {
  const path = `/vcek/v1/${product}/crl`;
  return cache.get(base + path, async () => {
    const { body } = await fetchDocument(new URL(base + path), listLimit);
    return { value: readDerDocument(body), freshForMs: freshForMs(readNextUpdateMs(body), Date.now()) };
  });
}
