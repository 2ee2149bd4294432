import { type Bytes, decodeUtf8 } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { calendarTimeMs } from './calendar-time.ts';

/** Tags of the universal class that certificates and revocation lists use (ITU-T X.680). */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The context-specific tag `[number]`, constructed (explicit, or an implicit SEQUENCE). */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

const maximumLength = 131_072;
const maximumDepth = 16;
const maximumNodes = 32_768;

/** One value of a DER text. Its contents are read when asked for, out of one budget for the whole text. */
export class DerNode {
  readonly tag: number;
  readonly content: Bytes;
  /** Tag and length too: what is signed, hashed or compared. */
  readonly raw: Bytes;
  readonly #depth: number;
  readonly #budget: { nodes: number };
  #children: readonly DerNode[] | null = null;

  constructor(raw: Bytes, headerLength: number, depth: number, budget: { nodes: number }) {
    this.tag = raw[0] ?? 0;
    this.raw = raw;
    this.content = raw.subarray(headerLength);
    this.#depth = depth;
    this.#budget = budget;
  }

  /** @throws {CryptoError} `malformed` where this value is primitive, or its contents are no DER. */
  children(): readonly DerNode[] {
    if ((this.tag & 0x20) === 0) throw new CryptoError('malformed');
    this.#children ??= readValues(this.content, this.#depth + 1, this.#budget);
    return this.#children;
  }
}

/**
 * Reads one DER value: definite lengths in their shortest form, low tag numbers, nothing after it (ITU-T X.690 §10).
 *
 * @throws {CryptoError} `malformed`, `too-long` above 128 KiB.
 */
export function readDer(bytes: Bytes): DerNode {
  if (bytes.length > maximumLength) throw new CryptoError('too-long');
  const [node, ...others] = readValues(bytes, 0, { nodes: 0 });
  if (node === undefined || others.length > 0) throw new CryptoError('malformed');
  return node;
}

function readValues(bytes: Bytes, depth: number, budget: { nodes: number }): DerNode[] {
  if (depth > maximumDepth) throw new CryptoError('malformed');
  const nodes = [];
  for (let offset = 0; offset < bytes.length;) {
    budget.nodes += 1;
    if (budget.nodes > maximumNodes) throw new CryptoError('malformed');
    const { headerLength, length } = readHeader(bytes, offset);
    nodes.push(new DerNode(bytes.subarray(offset, offset + headerLength + length), headerLength, depth, budget));
    offset += headerLength + length;
  }
  return nodes;
}

function readHeader(bytes: Bytes, offset: number): { headerLength: number; length: number } {
  const tag = bytes[offset] ?? 0;
  const first = bytes[offset + 1];
  // Tag number 31 announces a longer tag, tag 0 the end of an indefinite length: DER certificates have neither.
  if (first === undefined || (tag & 0x1f) === 0x1f || tag === 0) throw new CryptoError('malformed');
  let length = first;
  let headerLength = 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new CryptoError('malformed');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[offset + 2 + i] ?? 0);
    headerLength += count;
    if (length < 0x80 || length < 256 ** (count - 1)) throw new CryptoError('malformed');
  }
  if (offset + headerLength + length > bytes.length) throw new CryptoError('malformed');
  return { headerLength, length };
}

/** @throws {CryptoError} `malformed` where the value is missing or of another tag. */
export function expectTag(node: DerNode | undefined, tag: number): DerNode {
  if (node?.tag !== tag) throw new CryptoError('malformed');
  return node;
}

/** The values of a SEQUENCE. */
export function readSequence(node: DerNode | undefined): readonly DerNode[] {
  return expectTag(node, derTag.sequence).children();
}

/** An INTEGER that is not negative. @returns its bytes, big-endian, without the sign's leading zero. */
export function readInteger(node: DerNode | undefined): Bytes {
  const { content } = expectTag(node, derTag.integer);
  const [first, second] = content;
  if (first === undefined || first >= 0x80) throw new CryptoError('malformed');
  if (first === 0 && second !== undefined && second < 0x80) throw new CryptoError('malformed');
  return first === 0 && second !== undefined ? content.subarray(1) : content;
}

/** @returns 0 to 2^32 - 1. */
export function readSmallInteger(node: DerNode | undefined): number {
  const bytes = readInteger(node);
  if (bytes.length > 4) throw new CryptoError('malformed');
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** Only 0x00 and 0xff are DER (X.690 §11.1). @throws {CryptoError} `malformed`. */
export function readBoolean(node: DerNode | undefined): boolean {
  const { content } = expectTag(node, derTag.boolean);
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new CryptoError('malformed');
  return content[0] === 0xff;
}

/** @returns as `1.2.840.10045.4.3.3`. */
export function readOid(node: DerNode | undefined): string {
  const { content } = expectTag(node, derTag.oid);
  if (content.length === 0 || content.length > 32) throw new CryptoError('malformed');
  const arcs: number[] = [];
  let arc = 0;
  let isInside = false;
  for (const byte of content) {
    if (!isInside && byte === 0x80) throw new CryptoError('malformed');
    arc = arc * 128 + (byte & 0x7f);
    if (arc > 0xffff_ffff) throw new CryptoError('malformed');
    isInside = byte >= 0x80;
    if (!isInside) {
      if (arcs.length === 0) {
        const first = Math.min(Math.floor(arc / 40), 2);
        arcs.push(first, arc - 40 * first);
      } else arcs.push(arc);
      arc = 0;
    }
  }
  if (isInside) throw new CryptoError('malformed');
  return arcs.join('.');
}

/** A BIT STRING of whole bytes. */
export function readBitString(node: DerNode | undefined): Bytes {
  const { content } = expectTag(node, derTag.bitString);
  if (content[0] !== 0) throw new CryptoError('malformed');
  return content.subarray(1);
}

/** The numbers of the bits that are set in a BIT STRING of up to 16 named bits. */
export function readNamedBits(node: DerNode | undefined): ReadonlySet<number> {
  const { content } = expectTag(node, derTag.bitString);
  const [unused = 8, ...bytes] = content;
  if (bytes.length > 2 || unused > 7 || (bytes.length === 0 && unused !== 0)) throw new CryptoError('malformed');
  // DER also cuts off zero bits that are named (X.690 §11.2.2); AMD's key usages keep them, so they may stay.
  if (((bytes.at(-1) ?? 0) & ((1 << unused) - 1)) !== 0) throw new CryptoError('malformed');
  const bits = new Set<number>();
  for (const [index, byte] of bytes.entries()) {
    for (let bit = 0; bit < 8; bit++) if ((byte & (0x80 >> bit)) !== 0) bits.add(index * 8 + bit);
  }
  return bits;
}

/** A UTCTime or GeneralizedTime in whole seconds of UTC (RFC 5280 §4.1.2.5). */
export function readTime(node: DerNode | undefined): number {
  if (node?.tag !== derTag.utcTime && node?.tag !== derTag.generalizedTime) throw new CryptoError('malformed');
  const text = decodeUtf8(node.content);
  const yearDigits = node.tag === derTag.utcTime ? 2 : 4;
  if (text.length !== yearDigits + 11 || !/^\d+Z$/.test(text)) throw new CryptoError('malformed');
  const digits = Number(text.slice(0, yearDigits));
  const year = yearDigits === 4 ? digits : digits + (digits < 50 ? 2000 : 1900);
  const field = (index: number) => Number(text.slice(yearDigits + 2 * index, yearDigits + 2 * index + 2));
  return calendarTimeMs([year, field(0), field(1), field(2), field(3), field(4)]);
}
