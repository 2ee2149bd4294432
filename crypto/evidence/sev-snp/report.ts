import type { CollateralNeed } from '../../protocol/messages/evidence-messages.ts';
import { type Bytes, concat, toBase64Url } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { type AmdProduct, productOfCpu } from './amd-product.ts';
import { readTcbVersion } from './tcb-version.ts';

export const reportLength = 1184;
const signedLength = 0x2a0;

/** An ATTESTATION_REPORT (AMD 56860, table 23), its form checked and nothing else. */
export type SnpReport = {
  /** 2 to 5 */
  readonly version: number;
  readonly guestPolicy: bigint;
  /** 0 to 3; 2^32 - 1 where the host asked for the report. */
  readonly vmpl: number;
  /** TCB versions as bytes: their layout is the product's. */
  readonly currentTcb: Bytes;
  readonly reportedTcb: Bytes;
  readonly committedTcb: Bytes;
  readonly launchTcb: Bytes;
  readonly platform: { readonly smtEnabled: boolean; readonly aliasCheckComplete: boolean };
  readonly maskChipKey: boolean;
  /** 0 VCEK, 1 VLEK, 7 none. */
  readonly signingKey: number;
  /** 64 */
  readonly reportData: Bytes;
  /** 48 */
  readonly measurement: Bytes;
  /** 32: all ones where no migration agent is associated. */
  readonly migrationAgentId: Bytes;
  /** Family and model, from version 3 on. */
  readonly cpu: { readonly family: number; readonly model: number } | null;
  /** 64; Turin fills the first 8. */
  readonly chipId: Bytes;
  readonly currentAbi: number;
  readonly committedAbi: number;
  readonly signed: Bytes;
  /** `r || s`, big-endian (96). */
  readonly signature: Bytes;
};

/**
 * Reads a report of version 2 to 5, signed or to be signed with ECDSA P-384.
 *
 * @throws {CryptoError} `malformed` for another length, version or algorithm, and where reserved bytes are not zero;
 *   `unsupported-version` for a version outside 2 to 5.
 */
export function parseSnpReport(bytes: Bytes): SnpReport {
  if (bytes.length !== reportLength) throw new CryptoError('malformed');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const part = (start: number, length: number) => bytes.slice(start, start + length);
  const version = view.getUint32(0, true);
  if (version < 2 || version > 5) throw new CryptoError('unsupported-version');
  const reserved: readonly (readonly [start: number, end: number])[] = [
    [0x4c, 0x50],
    [version >= 3 ? 0x18b : 0x188, 0x1a0],
    [0x1eb, 0x1ec],
    [0x1ef, 0x1f0],
    // The two mitigation vectors came with version 5.
    [version >= 5 ? 0x208 : 0x1f8, signedLength],
    // R and S have 72 bytes each for 48, and nothing comes after them.
    [0x2d0, 0x2e8],
    [0x318, reportLength],
  ];
  const keyInfo = view.getUint32(0x48, true);
  const authorKeyDigest = part(0x110, 48);
  const isFormed =
    view.getUint32(0x34, true) === 1 &&
    keyInfo < 32 &&
    // A digest of an author key that the report says not to have.
    ((keyInfo & 1) === 1 || authorKeyDigest.every((byte) => byte === 0)) &&
    reserved.every(([start, end]) => bytes.subarray(start, end).every((byte) => byte === 0));
  if (!isFormed) throw new CryptoError('malformed');
  const platformInfo = view.getUint32(0x40, true);
  return {
    version,
    guestPolicy: view.getBigUint64(0x08, true),
    vmpl: view.getUint32(0x30, true),
    currentTcb: part(0x38, 8),
    reportedTcb: part(0x180, 8),
    committedTcb: part(0x1e0, 8),
    launchTcb: part(0x1f0, 8),
    platform: { smtEnabled: (platformInfo & 1) !== 0, aliasCheckComplete: (platformInfo & 0x20) !== 0 },
    maskChipKey: (keyInfo & 2) !== 0,
    signingKey: keyInfo >> 2,
    reportData: part(0x50, 64),
    measurement: part(0x90, 48),
    migrationAgentId: part(0x160, 32),
    cpu: version >= 3 ? { family: view.getUint8(0x188), model: view.getUint8(0x189) } : null,
    chipId: part(0x1a0, 64),
    currentAbi: view.getUint16(0x1e9, true),
    committedAbi: view.getUint16(0x1ed, true),
    signed: part(0, signedLength),
    signature: concat(part(0x2a0, 48).reverse(), part(0x2e8, 48).reverse()),
  };
}

/**
 * Names what the relay has to fetch from AMD for a report: the certificate of this chip at this firmware.
 *
 * The machine's, by CPUID: reports of version 2 do not say it.
 * @throws {CryptoError} `malformed` for what is no report, names no known product, or hides its chip.
 */
export function readSevSnpNeed(
  bytes: Bytes,
  cpu: { readonly family: number; readonly model: number } | null,
): Extract<CollateralNeed, { kind: 'sev-snp' }> {
  const report = parseSnpReport(bytes);
  const named = report.cpu ?? cpu;
  const product = named === null ? null : productOfCpu(named.family, named.model);
  const tcb = product === null ? null : readTcbVersion(report.reportedTcb, product);
  const chipId = product === null ? null : readChipId(report, product);
  if (product === null || tcb === null || chipId === null) throw new CryptoError('malformed');
  return { kind: 'sev-snp', product, chipId: toBase64Url(chipId), tcb };
}

/** The chip's id as AMD's certificates have it: 64 bytes, 8 from Turin on. @returns null where the host masks it. */
export function readChipId({ chipId }: SnpReport, product: AmdProduct): Bytes | null {
  const length = product === 'Turin' ? 8 : 64;
  const isMasked = chipId.every((byte) => byte === 0);
  const isLonger = chipId.subarray(length).some((byte) => byte !== 0);
  return isMasked || isLonger ? null : chipId.slice(0, length);
}
