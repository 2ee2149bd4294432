import { VendorRefused } from './vendor-fetch.ts';

const certificateText = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]{1,16384})-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM text as base64url of their DER, in the order of the text.
 *
 * @throws {VendorRefused} when there are fewer or more than a chain has.
 */
export function readPemChain(text: string): string[] {
  const chain = [...text.matchAll(certificateText)].map(([, base64 = '']) =>
    Buffer.from(base64, 'base64').toString('base64url'),
  );
  if (chain.length === 0 || chain.length > 8) throw new VendorRefused(null);
  return chain;
}

/** A chain in a header: PEM with percent signs, as Intel sends it. @throws {VendorRefused}. */
export function readHeaderChain(headers: Headers, name: string): string[] {
  try {
    return readPemChain(decodeURIComponent(headers.get(name) ?? ''));
  } catch {
    throw new VendorRefused(null);
  }
}

/**
 * The very text of one member of a JSON object: what was signed is this text and not what it means.
 *
 * @throws {VendorRefused} when the object has no such member at its top.
 */
export function readMemberText(text: string, name: string): string {
  let depth = 0;
  let start = -1;
  // Matches brackets and whole strings, so that no bracket inside a string is taken for one. A string that does not end is the
  // last token, so that the time grows with the length alone.
  for (const match of text.matchAll(/"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)|[{}[\]]/g)) {
    const [token] = match;
    const at = match.index;
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') {
      depth -= 1;
      if (depth === 0) break;
      if (depth === 1 && start >= 0) return text.slice(start, at + 1);
    } else if (depth === 1 && start < 0 && token === JSON.stringify(name)) {
      const colon = /^\s*:\s*(?=\{)/.exec(text.slice(at + token.length, at + token.length + 64));
      if (colon !== null) start = at + token.length + colon[0].length;
    }
  }
  throw new VendorRefused(null);
}

/** A signature in hexadecimal as base64url. @throws {VendorRefused}. */
export function readHexSignature(signature: unknown): string {
  if (typeof signature !== 'string' || !/^[0-9a-fA-F]{128}$/.test(signature)) throw new VendorRefused(null);
  return Buffer.from(signature, 'hex').toString('base64url');
}

/**
 * A certificate or list as base64url. Bytes that are no DER, such as a page that says "back soon", would otherwise be kept for
 * as long as what was asked for.
 *
 * @throws {VendorRefused}.
 */
export function readDerDocument(body: Buffer): string {
  // SEQUENCE, with its length in one to three bytes: nothing here is shorter or longer.
  const lengthBytes = (body[1] ?? 0) - 0x80;
  const headerLength = 2 + lengthBytes;
  const isWhole =
    body[0] === 0x30 &&
    lengthBytes >= 1 &&
    lengthBytes <= 3 &&
    body.length > headerLength &&
    body.readUIntBE(2, lengthBytes) === body.length - headerLength;
  if (!isWhole) throw new VendorRefused(null);
  return body.toString('base64url');
}

/** @throws {VendorRefused}. */
export function readJsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Not JSON is no document either.
  }
  throw new VendorRefused(null);
}
