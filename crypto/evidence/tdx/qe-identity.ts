import * as v from 'valibot';
import { type Bytes, equalBytes, fromHex } from '../../protocol/bytes/bytes.ts';
import { sha256 } from '../../protocol/bytes/hash.ts';
import { refuse } from '../policy/evidence-step.ts';
import { ecPublicKeyInfo, verifySignature } from '../x509/signature.ts';
import type { Certificate } from '../x509/certificate.ts';
import { LittleEndianReader } from './little-endian-reader.ts';
import type { TdxQuote } from './quote.ts';
import { documentEntries, hexField } from './signed-document.ts';
import { maskBytes, type ModuleStatus, moduleLevels, rateIsvSvn } from './tcb-info.ts';

/** Intel's enclave identity of version 2 for the TD quoting enclave (Intel PCS API v4, "Get TDX Enclave Identity"). */
export const qeIdentitySchema = v.object({
  ...documentEntries,
  id: v.literal('TD_QE'),
  version: v.literal(2),
  miscselect: hexField(4),
  miscselectMask: hexField(4),
  attributes: hexField(16),
  attributesMask: hexField(16),
  mrsigner: hexField(32),
  isvprodid: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)),
  tcbLevels: moduleLevels,
});
export type QeIdentity = v.InferOutput<typeof qeIdentitySchema>;

const check = 'tdx-quoting-enclave';
const debugFlag = 0x02;

/**
 * Follows the signatures from the processor's key to the report: processor → quoting enclave → attestation key → quote.
 *
 * @throws {EvidenceRefused} `signature`.
 */
export async function verifyQuoteSignatures(quote: TdxQuote, pck: Certificate): Promise<void> {
  const algorithm = 'ecdsa-p256-sha256';
  const isQeSigned = await verifySignature({
    subjectPublicKeyInfo: pck.subjectPublicKeyInfo,
    algorithm,
    signature: quote.qeReportSignature,
    message: quote.qeReport,
  });
  if (!isQeSigned) refuse('signature', check, 'quoting-enclave-not-signed');
  const reportData = new Uint8Array(64);
  reportData.set(sha256(quote.attestationKey, quote.qeAuthenticationData));
  if (!equalBytes(readQeReport(quote.qeReport).reportData, reportData)) {
    refuse('signature', check, 'attestation-key-not-named');
  }
  const isQuoteSigned = await verifySignature({
    subjectPublicKeyInfo: ecPublicKeyInfo(quote.attestationKey),
    algorithm,
    signature: quote.signature,
    message: quote.signed,
  });
  if (!isQuoteSigned) refuse('signature', 'tdx-signature', 'quote-not-signed');
}

/**
 * Checks that the enclave that held the attestation key is Intel's, and rates its version.
 *
 * @throws {EvidenceRefused} `debug`, `measurement` (another enclave), `outdated-firmware` where its version is not rated.
 */
export function rateQuotingEnclave(qeReport: Bytes, identity: QeIdentity): ModuleStatus {
  const report = readQeReport(qeReport);
  if (((report.attributes[0] ?? 0) & debugFlag) !== 0) refuse('debug', check, 'open-to-debugger');
  // MISCSELECT is a number: little-endian in the report, written as a number in the identity.
  const miscSelect = report.miscSelect.toReversed();
  const isIntels =
    equalBytes(maskBytes(miscSelect, fromHex(identity.miscselectMask)), fromHex(identity.miscselect)) &&
    equalBytes(maskBytes(report.attributes, fromHex(identity.attributesMask)), fromHex(identity.attributes)) &&
    equalBytes(report.mrSigner, fromHex(identity.mrsigner)) &&
    report.isvProdId === identity.isvprodid;
  if (!isIntels) refuse('measurement', check, 'not-named-by-intel');
  return rateIsvSvn(identity.tcbLevels, report.isvSvn) ?? refuse('outdated-firmware', check, 'older-than-rated');
}

/** SGX REPORT body (Intel TDX DCAP Quoting Library API, A.3.10). */
function readQeReport(qeReport: Bytes) {
  const fields = new LittleEndianReader(qeReport);
  fields.take(16);
  const miscSelect = fields.take(4);
  fields.take(28);
  const attributes = fields.take(16);
  fields.take(64);
  const mrSigner = fields.take(32);
  fields.take(96);
  const isvProdId = fields.takeUint16();
  const isvSvn = fields.takeUint16();
  fields.take(60);
  const reportData = fields.take(64);
  return { miscSelect, attributes, mrSigner, isvProdId, isvSvn, reportData };
}
