import type { Bytes } from '../../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../../protocol/bytes/errors.ts';

/** An SPDM exchange as the driver gives it (DSP0274 1.1, 10.11), read but not yet believed. */
export type SpdmReport = {
  /** The requester's. */
  readonly nonce: Bytes;
  /** By index as reference manifests count: SPDM's own less one. */
  readonly measurements: ReadonlyMap<number, Bytes>;
  /** NVIDIA's fields, by type. */
  readonly opaqueFields: ReadonlyMap<number, Bytes>;
  /** The device signed these bytes: request and response up to the signature. */
  readonly signed: Bytes;
  /** `r || s`, 96 bytes. */
  readonly signature: Bytes;
};

const signatureLength = 96;
const maximumLength = 16_384;
/** Firmware measurements and their like, as digests: bit 7 of the type would say raw bytes. */
const rawBit = 0x80;
const longestDigest = 64;
const highestOpaqueType = 36;

/**
 * Reads GET_MEASUREMENTS (37 bytes) and MEASUREMENTS after it, all measurements signed, to the last byte (SPEC.md §9.9).
 *
 * @throws {CryptoError} `malformed`, `too-long` above 16 KiB.
 */
export function parseSpdmReport(report: Bytes): SpdmReport {
  if (report.length > maximumLength) throw new CryptoError('too-long');
  const reader = new ByteReader(report);
  // GET_MEASUREMENTS of SPDM 1.1, signature wanted, all measurements.
  reader.expect(0x11, 0xe0, 0x01, 0xff);
  const nonce = reader.take(32);
  // Slot 0: the chain that NVIDIA put into the device.
  reader.expect(0x00);
  reader.expect(0x11, 0x60, 0x00, 0x00);
  const blockCount = reader.number(1);
  const measurements = readMeasurements(reader.take(reader.number(3)), blockCount);
  // The responder's nonce: it makes every signature another, and binds to nothing.
  reader.take(32);
  const opaqueFields = readOpaqueFields(reader.take(reader.number(2)));
  const signed = report.subarray(0, reader.offset);
  const signature = reader.take(signatureLength);
  reader.end();
  return { nonce, measurements, opaqueFields, signed, signature };
}

/** `index || specification (DMTF) || length (2) || type || digest length (2) || digest`, in ascending order. */
function readMeasurements(record: Bytes, blockCount: number): ReadonlyMap<number, Bytes> {
  const reader = new ByteReader(record);
  const measurements = new Map<number, Bytes>();
  let last = 0;
  for (let block = 0; block < blockCount; block++) {
    const index = reader.number(1);
    reader.expect(0x01);
    const length = reader.number(2);
    const type = reader.number(1);
    const digestLength = reader.number(2);
    if (index <= last || length !== digestLength + 3 || (type & rawBit) !== 0 || digestLength > longestDigest) {
      throw new CryptoError('malformed');
    }
    measurements.set(index - 1, reader.take(digestLength));
    last = index;
  }
  reader.end();
  if (blockCount === 0) throw new CryptoError('malformed');
  return measurements;
}

/** `type (2) || length (2) || value`, each type once. */
function readOpaqueFields(opaque: Bytes): ReadonlyMap<number, Bytes> {
  const reader = new ByteReader(opaque);
  const fields = new Map<number, Bytes>();
  while (!reader.isAtEnd) {
    const type = reader.number(2);
    if (type === 0 || type > highestOpaqueType || fields.has(type)) throw new CryptoError('malformed');
    fields.set(type, reader.take(reader.number(2)));
  }
  return fields;
}

/** SPDM's numbers are little-endian. */
class ByteReader {
  readonly #bytes: Bytes;
  offset = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.offset === this.#bytes.length;
  }

  take(length: number): Bytes {
    const end = this.offset + length;
    if (end > this.#bytes.length) throw new CryptoError('malformed');
    const taken = this.#bytes.subarray(this.offset, end);
    this.offset = end;
    return taken;
  }

  number(length: number): number {
    return readLittleEndian(this.take(length));
  }

  expect(...bytes: readonly number[]): void {
    const taken = this.take(bytes.length);
    if (bytes.some((byte, index) => taken[index] !== byte)) throw new CryptoError('malformed');
  }

  end(): void {
    if (!this.isAtEnd) throw new CryptoError('malformed');
  }
}

/** @param bytes - Up to 6. */
export function readLittleEndian(bytes: Bytes): number {
  return bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
}
