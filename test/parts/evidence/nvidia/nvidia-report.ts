import { type KeyPair, signRaw } from '../vendors/certificate-maker.ts';

/** A GPU's measurement report as its driver gives it: SPDM 1.1 GET_MEASUREMENTS, then MEASUREMENTS, signed. */
export type Measured = { index: number; digest: Uint8Array; specification?: number; type?: number; lengthOff?: number };
export type GpuReportFields = {
  /** Version, code, parameters of the request. */
  readonly requestHead: readonly number[];
  readonly nonce: Uint8Array;
  readonly slot: number;
  readonly responseHead: readonly number[];
  /** By the index of reference manifests, from 0; SPDM counts from 1. */
  readonly measurements: readonly Measured[];
  /** The response says this of its own blocks, where that is to differ. */
  readonly blockCount: number | null;
  readonly recordLengthOff: number;
  readonly opaqueLengthOff: number;
  readonly opaqueFields: readonly (readonly [type: number, value: Uint8Array])[];
};

const littleEndian = (value: number, length: number) =>
  Uint8Array.from({ length }, (_, index) => Math.floor(value / 256 ** index) % 256);
const joined = (...parts: readonly Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));

export const usualHeads = { requestHead: [0x11, 0xe0, 0x01, 0xff], slot: 0, responseHead: [0x11, 0x60, 0, 0] } as const;
export const noFaults = { blockCount: null, recordLengthOff: 0, opaqueLengthOff: 0 } as const;

/** @returns request and response up to the signature. */
export function writeReport(fields: GpuReportFields): Uint8Array<ArrayBuffer> {
  const record = joined(
    ...fields.measurements.map(({ index, digest, specification = 1, type = 1, lengthOff = 0 }) =>
      joined(
        Uint8Array.of(index + 1, specification),
        littleEndian(digest.length + 3 + lengthOff, 2),
        Uint8Array.of(type),
        littleEndian(digest.length, 2),
        digest,
      ),
    ),
  );
  const opaque = joined(
    ...fields.opaqueFields.flatMap(([type, value]) => [littleEndian(type, 2), littleEndian(value.length, 2), value]),
  );
  return joined(
    Uint8Array.from(fields.requestHead),
    fields.nonce,
    Uint8Array.of(fields.slot),
    Uint8Array.from(fields.responseHead),
    Uint8Array.of(fields.blockCount ?? fields.measurements.length),
    littleEndian(record.length + fields.recordLengthOff, 3),
    record,
    // The responder's nonce.
    new Uint8Array(32).fill(0xd0),
    littleEndian(opaque.length + fields.opaqueLengthOff, 2),
    opaque,
  );
}

export function signReport(unsigned: Uint8Array, signer: KeyPair): Uint8Array<ArrayBuffer> {
  return joined(unsigned, signRaw(signer, unsigned));
}

/** A text that NVIDIA ends with a zero, and fills up with more of them. */
export function zeroEnded(text: string, length = text.length + 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  bytes.set(Buffer.from(text, 'latin1'));
  return bytes;
}

/** `96.00.A5.00.01` as the eight bytes of the report. */
export function vbiosBytes(version: string): Uint8Array<ArrayBuffer> {
  const parts = version.split('.').map((part) => Number.parseInt(part, 16));
  return Uint8Array.of(...parts.slice(0, 4).toReversed(), parts[4] ?? 0, 0, 0, 0);
}
