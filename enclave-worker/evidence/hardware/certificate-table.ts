import type { SevSnpCollateral } from '../../../crypto/protocol/messages/evidence-messages.ts';
import { toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';

/* The certificates that a host hands to its SEV-SNP guests (AMD 56421, GHCB, section 4.1.8.1). */

const entryLength = 24;
const maximumEntries = 32;
const maximumCertificateLength = 8192;
const maximumRevocationListLength = 65_536;

const ids = {
  vcek: '63da758d-e664-4564-adc5-f4b93be8accd',
  ask: '4ab7b379-bbac-4fe4-a02f-05aef327c782',
  ark: 'c0b406a4-a803-4952-9743-3fb6014cd0ae',
  revocationList: '92f81bc3-5811-4d3d-97ff-d19f88dc67ea',
} as const;

/**
 * Reads a certificate table: entries of `id (16) || offset (4) || length (4)`, little-endian, ended by zeros, and the
 * certificates behind them.
 *
 * @returns null when the chain is not whole, so that it has to be fetched from AMD. Nothing here is believed: a client
 * verifies each of them.
 */
export function readCertificateTable(table: Uint8Array): SevSnpCollateral | null {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const found = new Map<string, Uint8Array>();
  for (let index = 0; index < maximumEntries; index += 1) {
    const at = index * entryLength;
    if (at + entryLength > table.length) return null;
    const id = formatId(table.subarray(at, at + 16));
    const offset = view.getUint32(at + 16, true);
    const length = view.getUint32(at + 20, true);
    if (/^[0-]+$/.test(id)) break;
    if (length === 0 || offset + length > table.length || found.has(id)) return null;
    found.set(id, table.subarray(offset, offset + length));
  }
  const [vcek, ask, ark] = [ids.vcek, ids.ask, ids.ark].map((id) => found.get(id));
  if (vcek === undefined || ask === undefined || ark === undefined) return null;
  if (![vcek, ask, ark].every(isCertificate)) return null;
  const list = found.get(ids.revocationList);
  const withList = list !== undefined && isDer(list) && list.length <= maximumRevocationListLength;
  return {
    kind: 'sev-snp',
    vcek: toBase64Url(vcek),
    ask: toBase64Url(ask),
    ark: toBase64Url(ark),
    ...(withList ? { revocationList: toBase64Url(list) } : {}),
  };
}

function isCertificate(bytes: Uint8Array): boolean {
  return isDer(bytes) && bytes.length <= maximumCertificateLength;
}

/** Some hosts hand out PEM: then the chain is fetched. */
function isDer(bytes: Uint8Array): boolean {
  return bytes[0] === 0x30 && bytes[1] === 0x82;
}

/** The table has them as RFC 4122 writes them, byte for byte (as Linux and the SNP tools read it). */
function formatId(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
