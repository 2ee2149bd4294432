import { type Bytes, toHex } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { refuse } from '../policy/evidence-step.ts';
import { LittleEndianReader } from './little-endian-reader.ts';

/** The TDX module reports this of one trust domain (Intel TDX DCAP Quoting Library API, A.3.2 and A.4.2). */
export type TdReport = {
  /** 16: security versions of the TDX module and its loader when the trust domain started. */
  readonly teeTcbSvn: Bytes;
  readonly mrSeam: Bytes;
  readonly mrSignerSeam: Bytes;
  readonly seamAttributes: Bytes;
  readonly tdAttributes: Bytes;
  readonly xfam: Bytes;
  readonly mrTd: Bytes;
  readonly mrConfigId: Bytes;
  readonly mrOwner: Bytes;
  readonly mrOwnerConfig: Bytes;
  readonly rtMrs: readonly [Bytes, Bytes, Bytes, Bytes];
  /** 64 */
  readonly reportData: Bytes;
  /** TDX 1.5 only. */
  readonly mrServiceTd: Bytes | null;
};

/** A quote of version 4 or 5, read but not yet believed. */
export type TdxQuote = {
  readonly version: 4 | 5;
  readonly report: TdReport;
  /** Header and report as the attestation key signed them. */
  readonly signed: Bytes;
  /** `r || s` by the attestation key. */
  readonly signature: Bytes;
  /** `x || y` on P-256. */
  readonly attestationKey: Bytes;
  /** 384: about the quoting enclave, which holds the attestation key. */
  readonly qeReport: Bytes;
  /** `r || s` by the processor's key. */
  readonly qeReportSignature: Bytes;
  readonly qeAuthenticationData: Bytes;
  /** Certificates of the processor's key, PEM. */
  readonly pckChain: Bytes;
};

const check = 'tdx-quote';
const ecdsaP256 = 2;
const teeTdx = 0x81;
const intelVendorId = '939a7233f79c4ca9940a0db3957f0607';
/** Lengths by type of the body descriptor that version 5 has: TDX 1.0 and TDX 1.5. */
const reportLengths: Readonly<Record<number, number>> = { 2: 584, 3: 648 };
const qeReportCertification = 6;
const pckCertificateChain = 5;

/**
 * Reads a quote to its last byte (SPEC.md §9.8): every inner length must fill the one around it.
 *
 * @throws {CryptoError} `malformed`.
 * @throws {EvidenceRefused} `unsupported` for another version, key type, machine or vendor.
 */
export function parseQuote(bytes: Bytes): TdxQuote {
  const reader = new LittleEndianReader(bytes);
  const version = reader.takeUint16();
  if (version !== 4 && version !== 5) refuse('unsupported', check, 'quote-version-unknown');
  if (reader.takeUint16() !== ecdsaP256) refuse('unsupported', check, 'quote-key-unknown');
  if (reader.takeUint32() !== teeTdx) refuse('unsupported', check, 'quote-of-no-tdx');
  // Security versions of the quoting enclave that nothing relies on: its own report has them, signed.
  reader.take(4);
  if (toHex(reader.take(16)) !== intelVendorId) refuse('unsupported', check, 'quote-not-by-intel');
  reader.take(20);
  const report = readTdReport(reader, version === 4 ? 2 : reader.takeUint16(), version === 5);
  const signed = reader.taken();
  const authentication = new LittleEndianReader(reader.take(reader.takeUint32()));
  reader.end();
  const signature = authentication.take(64);
  const attestationKey = authentication.take(64);
  if (authentication.takeUint16() !== qeReportCertification) {
    refuse('unsupported', check, 'quote-certification-unknown');
  }
  const certification = new LittleEndianReader(authentication.take(authentication.takeUint32()));
  authentication.end();
  const qeReport = certification.take(384);
  const qeReportSignature = certification.take(64);
  const qeAuthenticationData = certification.take(certification.takeUint16());
  if (certification.takeUint16() !== pckCertificateChain) {
    refuse('unsupported', check, 'quote-without-certificates');
  }
  const pckChain = certification.take(certification.takeUint32());
  certification.end();
  return {
    version,
    report,
    signed,
    signature,
    attestationKey,
    qeReport,
    qeReportSignature,
    qeAuthenticationData,
    pckChain,
  };
}

function readTdReport(reader: LittleEndianReader, type: number, hasLength: boolean): TdReport {
  const length = reportLengths[type];
  if (length === undefined) refuse('unsupported', check, 'quote-report-unknown');
  if (hasLength && reader.takeUint32() !== length) throw new CryptoError('malformed');
  const fields = new LittleEndianReader(reader.take(length));
  const report = {
    teeTcbSvn: fields.take(16),
    mrSeam: fields.take(48),
    mrSignerSeam: fields.take(48),
    seamAttributes: fields.take(8),
    tdAttributes: fields.take(8),
    xfam: fields.take(8),
    mrTd: fields.take(48),
    mrConfigId: fields.take(48),
    mrOwner: fields.take(48),
    mrOwnerConfig: fields.take(48),
    rtMrs: [fields.take(48), fields.take(48), fields.take(48), fields.take(48)] as const,
    reportData: fields.take(64),
  };
  if (length === 584) return { ...report, mrServiceTd: null };
  // Versions of the TDX module as it is now: it can only have risen since the trust domain started.
  fields.take(16);
  return { ...report, mrServiceTd: fields.take(48) };
}
