import { type Bytes, decodeUtf8, toHex } from '../../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../../protocol/bytes/errors.ts';
import { parseSpdmReport, readLittleEndian, type SpdmReport } from './spdm-report.ts';

/** A GPU says this of itself, signed (SPEC.md §9.9). */
export type GpuReport = SpdmReport & {
  readonly driverVersion: string;
  /** For example `96.00.A5.00.01`. */
  readonly vbiosVersion: string;
  readonly project: string;
  readonly projectSku: string;
  readonly chipSku: string;
  /** For example `GB100`; null where the report names none (Hopper). */
  readonly chip: string | null;
  /** Digest of the firmware that runs, 48 bytes; null: drivers before it was reported. */
  readonly firmwareId: Bytes | null;
  /** Without its decoder, a GPU has nothing to measure at index 35. */
  readonly hasDecoder: boolean;
  /** Null: reports of opaque data version 0 name none. */
  readonly featureFlag: number | null;
  readonly isProtectedPcie: boolean;
};

/** Types of NVIDIA's opaque fields (NVIDIA attestation-sdk, gpu_opaque_data_parser.hpp). */
const field = {
  driverVersion: 3,
  vbiosVersion: 6,
  decoderStatus: 11,
  chipSku: 15,
  project: 17,
  projectSku: 18,
  firmwareId: 20,
  protectedPcieStatus: 21,
  opaqueDataVersion: 34,
  chipInfo: 35,
  featureFlag: 36,
} as const;

/** The only version beside 0 (none stated) whose fields are known. */
const knownOpaqueVersion = 1;
const enabled = 0xaa;
const disabled = 0x55;

/** @throws {CryptoError} `malformed`, `too-long`. */
export function parseGpuReport(bytes: Bytes): GpuReport {
  const report = parseSpdmReport(bytes);
  const fields = report.opaqueFields;
  const version = readCount(fields.get(field.opaqueDataVersion)) ?? 0;
  const featureFlag = readCount(fields.get(field.featureFlag));
  if (version > knownOpaqueVersion || (version === knownOpaqueVersion && featureFlag === null)) {
    throw new CryptoError('malformed');
  }
  const firmwareId = fields.get(field.firmwareId) ?? null;
  if (firmwareId !== null && firmwareId.length !== 48) throw new CryptoError('malformed');
  const protectedPcie = fields.get(field.protectedPcieStatus);
  return {
    ...report,
    driverVersion: readDriverVersion(fields.get(field.driverVersion)),
    vbiosVersion: readVbiosVersion(fields.get(field.vbiosVersion)),
    project: readText(fields.get(field.project)),
    projectSku: readText(fields.get(field.projectSku)),
    chipSku: readText(fields.get(field.chipSku)),
    chip: fields.has(field.chipInfo) ? readText(fields.get(field.chipInfo)) : null,
    firmwareId,
    hasDecoder: readSwitch(fields.get(field.decoderStatus)),
    featureFlag,
    isProtectedPcie: protectedPcie !== undefined && readSwitch(protectedPcie),
  };
}

function readDriverVersion(value: Bytes | undefined): string {
  const text = readText(value);
  if (!/^\d{1,5}(\.\d{1,5}){1,3}$/.test(text)) throw new CryptoError('malformed');
  return text;
}

/** ASCII up to the first zero; behind it zeros alone. */
function readText(value: Bytes | undefined): string {
  const text = value === undefined || value.length > 64 ? '' : decodeUtf8(value).replace(/\0+$/, '');
  if (!/^[A-Za-z0-9._-]{1,32}$/.test(text)) throw new CryptoError('malformed');
  return text;
}

/** Four bytes of a little-endian number, then the fifth part; what follows is no part of the version. */
function readVbiosVersion(value: Bytes | undefined): string {
  if (value?.length !== 8) throw new CryptoError('malformed');
  const parts = [...value.subarray(0, 4)].toReversed().concat(value[4] ?? 0);
  return parts.map((part) => toHex(Uint8Array.of(part)).toUpperCase()).join('.');
}

function readSwitch(value: Bytes | undefined): boolean {
  const state = value?.length === 1 ? value[0] : undefined;
  if (state !== enabled && state !== disabled) throw new CryptoError('malformed');
  return state === enabled;
}

function readCount(value: Bytes | undefined): number | null {
  if (value === undefined) return null;
  if (value.length === 0 || value.length > 8) throw new CryptoError('malformed');
  // Only 0 to 2 mean something; more than six bytes of it would not be one of these.
  return readLittleEndian(value.subarray(0, 6)) + (value.subarray(6).some((byte) => byte !== 0) ? 2 ** 48 : 0);
}
