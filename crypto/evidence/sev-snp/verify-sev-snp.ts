import type { SevSnpCollateral, SevSnpEvidence } from '../../protocol/messages/evidence-messages.ts';
import { equalBytes, fromBase64Url, toHex } from '../../protocol/bytes/bytes.ts';
import { enforced, notOffered, refuse } from '../policy/evidence-step.ts';
import type { SevSnpPolicy } from '../policy/policy.ts';
import type { MachineFinding, MachineInput } from '../policy/machine-input.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { parseRevocationList, type RevocationList } from '../x509/revocation-list.ts';
import { verifySignature } from '../x509/signature.ts';
import { verifyChain } from '../x509/verify-chain.ts';
import { type AmdProduct, pinnedRoot, productOfCpu } from './amd-product.ts';
import { parseSnpReport, readChipId, type SnpReport } from './report.ts';
import { isAtLeast, readTcbVersion, type TcbVersion } from './tcb-version.ts';
import { readVcekStatement, type VcekStatement } from './vcek.ts';

type Input = MachineInput<SevSnpEvidence, SevSnpCollateral, SevSnpPolicy>;
type Collateral = {
  readonly vcek: Certificate;
  readonly ask: Certificate;
  readonly ark: Certificate;
  readonly lists: readonly RevocationList[];
  readonly statement: VcekStatement;
};
const step = {
  report: 'snp-report',
  chain: 'snp-certificates',
  signature: 'snp-signature',
  chip: 'snp-chip',
  reportData: 'snp-report-data',
  privilege: 'snp-privilege',
  firmware: 'snp-firmware',
  guest: 'snp-guest',
} as const;

/**
 * Checks an AMD SEV-SNP report with its chain of certificates (SPEC.md §9.7).
 *
 * @returns the launch measurement as 96 digits of hex; whether it is of a release is the caller's check.
 * @throws {EvidenceRefused}
 */
export async function verifySevSnp(input: Input): Promise<MachineFinding> {
  const { evidence, collateral, policy, expected, nowMs, steps } = input;
  const report = readReport(evidence);
  const { lists, statement, ...certificates } = readCollateral(collateral);
  const product = findProduct(report, statement);
  steps.push(enforced(step.report, 'report-read', { version: report.version, product }));

  await verifyCertificates({ ...certificates, lists, product, policy, nowMs });
  steps.push(enforced(step.chain, 'amd-chain', { product }));
  steps.push(
    lists.length > 0
      ? enforced('revocation-list', 'amd-revoked-none')
      : notOffered('revocation-list', 'no-revocation-list'),
  );

  await verifyReportSignature(report, certificates.vcek);
  steps.push(enforced(step.signature, 'report-signed'));
  checkChip(report, statement, product);
  steps.push(enforced(step.chip, 'chip-certified', { chipId: toHex(statement.chipId.subarray(0, 8)) }));
  if (!equalBytes(report.reportData, expected)) {
    refuse('report-data', step.reportData, 'report-of-other-enclave');
  }
  steps.push(enforced(step.reportData, 'report-of-this-enclave'));

  if (report.vmpl > policy.maximumVmpl) {
    refuse('privilege-level', step.privilege, 'asked-from-outside');
  }
  steps.push(enforced(step.privilege, 'asked-at-level', { vmpl: report.vmpl }));
  const tcb = checkFirmware(report, product, policy);
  steps.push(enforced(step.firmware, 'firmware-versions', tcb));
  checkGuestPolicy(report, policy);
  steps.push(enforced(step.guest, 'guest-closed'));
  steps.push(
    report.platform.aliasCheckComplete
      ? enforced('snp-memory', 'memory-checked')
      : notOffered('snp-memory', 'memory-not-checked'),
  );
  return { measurement: toHex(report.measurement) };
}

function readReport(evidence: SevSnpEvidence): SnpReport {
  let report: SnpReport;
  try {
    report = parseSnpReport(fromBase64Url(evidence.report));
  } catch {
    refuse('malformed', step.report, 'report-unreadable');
  }
  if (report.maskChipKey || report.signingKey === 7) {
    refuse('signature', step.report, 'report-unsigned');
  }
  if (report.signingKey !== 0) refuse('unsupported', step.report, 'report-not-by-vcek');
  return report;
}

function readCollateral({ vcek, ask, ark, revocationList }: SevSnpCollateral): Collateral {
  try {
    const leaf = parseCertificate(fromBase64Url(vcek));
    return {
      vcek: leaf,
      ask: parseCertificate(fromBase64Url(ask)),
      ark: parseCertificate(fromBase64Url(ark)),
      lists: revocationList === undefined ? [] : [parseRevocationList(fromBase64Url(revocationList))],
      statement: readVcekStatement(leaf),
    };
  } catch {
    return refuse('malformed', step.chain, 'certificates-unreadable');
  }
}

/** By the report itself from version 3 on; by the certificate before that, whose issuer must then be the product's. */
function findProduct(report: SnpReport, statement: VcekStatement): AmdProduct {
  const product = report.cpu === null ? statement.product : productOfCpu(report.cpu.family, report.cpu.model);
  if (product === null) refuse('unsupported', step.report, 'processor-unknown');
  if (product !== statement.product) {
    refuse('wrong-machine', step.report, 'certificate-of-other-processor');
  }
  return product;
}

async function verifyCertificates(
  input: Omit<Collateral, 'statement'> & {
    readonly product: AmdProduct;
    readonly policy: SevSnpPolicy;
    readonly nowMs: number;
  },
): Promise<void> {
  const { vcek, ask, ark, lists, product, policy, nowMs } = input;
  await verifyChain({
    check: step.chain,
    certificates: [vcek, ask, ark],
    rootDigests: policy.roots?.map((digest) => fromBase64Url(digest)) ?? [pinnedRoot(product)],
    nowMs,
    crls: lists,
  });
  // The keys that sign for one product, or for shared machines (VLEK), vouch for no chip of another.
  const isNamed =
    vcek.subjectCommonName === 'SEV-VCEK' &&
    ask.subjectCommonName === `SEV-${product}` &&
    ark.subjectCommonName === `ARK-${product}`;
  if (!isNamed || vcek.isCa) refuse('chain', step.chain, 'not-chip-certificates', { product });
}

async function verifyReportSignature(report: SnpReport, vcek: Certificate): Promise<void> {
  const isSigned = await verifySignature({
    subjectPublicKeyInfo: vcek.subjectPublicKeyInfo,
    algorithm: 'ecdsa-p384-sha384',
    signature: report.signature,
    message: report.signed,
  });
  if (!isSigned) refuse('signature', step.signature, 'report-not-signed');
}

function checkChip(report: SnpReport, statement: VcekStatement, product: AmdProduct): void {
  const chipId = readChipId(report, product);
  if (chipId === null || !equalBytes(chipId, statement.chipId)) {
    refuse('wrong-machine', step.chip, 'certificate-of-other-chip');
  }
  if (!equalBytes(report.reportedTcb, statement.tcb)) {
    refuse('wrong-machine', step.chip, 'certificate-of-other-firmware');
  }
}

/**
 * Checks four versions: what runs now, what the report stands for, what one could go back to, and what started the guest. None
 * may be below the minimum: older firmware could have lied in the measurement or could read the guest later.
 */
function checkFirmware(report: SnpReport, product: AmdProduct, policy: SevSnpPolicy): TcbVersion {
  const minimum = policy.minimumTcb[product];
  if (minimum === null) refuse('unsupported', step.firmware, 'product-not-accepted', { product });
  const read = (bytes: Uint8Array) =>
    readTcbVersion(bytes, product) ?? refuse('malformed', step.firmware, 'firmware-unreadable');
  const [current, reported] = [read(report.currentTcb), read(report.reportedTcb)];
  const [committed, launch] = [read(report.committedTcb), read(report.launchTcb)];
  const isOrdered =
    isAtLeast(current, reported) && isAtLeast(current, committed) && report.currentAbi >= report.committedAbi;
  if (!isOrdered) refuse('outdated-firmware', step.firmware, 'firmware-older-than-reported');
  if (![reported, committed, launch].every((version) => isAtLeast(version, minimum))) {
    refuse('outdated-firmware', step.firmware, 'firmware-too-old', reported);
  }
  return reported;
}

/** AMD 56860, table 10. Debugging comes last, so that a debug machine passes all but that. */
function checkGuestPolicy(report: SnpReport, policy: SevSnpPolicy): void {
  const { guestPolicy } = report;
  const has = (bit: bigint) => ((guestPolicy >> bit) & 1n) === 1n;
  if (!has(17n) || guestPolicy >> 26n !== 0n) refuse('guest-policy', step.guest, 'guest-bits-reserved');
  // Major and minor version, of the interface that the guest asks for at least.
  if (Number(guestPolicy & 0xffffn) > report.currentAbi) {
    refuse('guest-policy', step.guest, 'guest-wants-newer-firmware');
  }
  if (has(16n) && !policy.allowSmt) {
    refuse('guest-policy', step.guest, 'cores-may-be-shared');
  }
  if (!has(16n) && report.platform.smtEnabled) {
    refuse('guest-policy', step.guest, 'cores-are-shared');
  }
  if (has(18n) || !report.migrationAgentId.every((byte) => byte === 0xff)) {
    refuse('migration', step.guest, 'migration-agent');
  }
  if (has(19n)) refuse('debug', step.guest, 'host-may-debug');
}
