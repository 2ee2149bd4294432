import type { SevSnpCollateral, SevSnpEvidence } from '../../protocol/messages/evidence-messages.ts';
import { equalBytes, fromBase64Url, toHex } from '../../protocol/bytes/bytes.ts';
import { enforced, notOffered, refuse } from '../evidence-step.ts';
import type { SevSnpPolicy } from '../policy.ts';
import type { MachineFinding, MachineInput } from '../verify-machine.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { parseRevocationList, type RevocationList } from '../x509/revocation-list.ts';
import { verifySignature } from '../x509/signature.ts';
import { verifyChain } from '../x509/verify-chain.ts';
import { type AmdProduct, pinnedRoot, productOfCpu } from './amd-product.ts';
import { parseSnpReport, readChipId, type SnpReport } from './report.ts';
import { describeTcb, isAtLeast, readTcbVersion, type TcbVersion } from './tcb-version.ts';
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
  report: 'Attestation report',
  chain: 'AMD certificates',
  signature: 'Signature of the processor',
  chip: 'Processor',
  reportData: 'Bound to this enclave',
  privilege: 'Privilege level',
  firmware: 'Firmware of the processor',
  guest: 'Guest policy',
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
  steps.push(enforced(step.report, `Version ${report.version}, of an EPYC processor "${product}".`));

  await verifyCertificates({ ...certificates, lists, product, policy, nowMs });
  steps.push(enforced(step.chain, `From AMD's root for ${product} to the key of this chip.`));
  steps.push(
    lists.length > 0
      ? enforced('Revocation list', 'AMD has revoked none of these certificates.')
      : notOffered('Revocation list', 'None came with the certificates.'),
  );

  await verifyReportSignature(report, certificates.vcek);
  steps.push(enforced(step.signature, 'The chip signed the report with its own key (VCEK).'));
  checkChip(report, statement, product);
  steps.push(
    enforced(step.chip, `The key is of this very chip and firmware: ${toHex(statement.chipId.subarray(0, 8))}.`),
  );
  if (!equalBytes(report.reportData, expected)) {
    refuse('report-data', step.reportData, 'The report was made for something else than this enclave.');
  }
  steps.push(enforced(step.reportData, "The report names the enclave's identity, image and devices."));

  if (report.vmpl > policy.maximumVmpl) {
    refuse('privilege-level', step.privilege, 'The report was asked for from outside, or from a less trusted level.');
  }
  steps.push(enforced(step.privilege, `VMPL ${report.vmpl}.`));
  const tcb = checkFirmware(report, product, policy);
  steps.push(enforced(step.firmware, `${describeTcb(tcb)}.`));
  checkGuestPolicy(report, policy);
  steps.push(enforced(step.guest, 'No debugging, no migration.'));
  steps.push(
    report.platform.aliasCheckComplete
      ? enforced('Memory', 'The firmware found no two addresses for the same memory.')
      : notOffered('Memory', 'The firmware does not say that it looked for memory with two addresses.'),
  );
  return { measurement: toHex(report.measurement) };
}

function readReport(evidence: SevSnpEvidence): SnpReport {
  let report: SnpReport;
  try {
    report = parseSnpReport(fromBase64Url(evidence.report));
  } catch {
    refuse('malformed', step.report, 'Not a report of version 2 to 5.');
  }
  if (report.maskChipKey || report.signingKey === 7) {
    refuse('signature', step.report, 'The host had the report left unsigned.');
  }
  if (report.signingKey !== 0) refuse('unsupported', step.report, "Not signed with the chip's own key (VCEK).");
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
    return refuse('malformed', step.chain, 'The certificates are not readable.');
  }
}

/** By the report itself from version 3 on; by the certificate before that, whose issuer must then be the product's. */
function findProduct(report: SnpReport, statement: VcekStatement): AmdProduct {
  const product = report.cpu === null ? statement.product : productOfCpu(report.cpu.family, report.cpu.model);
  if (product === null) refuse('unsupported', step.report, 'Of a processor that this client does not know.');
  if (product !== statement.product) {
    refuse('wrong-machine', step.report, 'The certificate is of another sort of processor.');
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
    stepName: step.chain,
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
  if (!isNamed || vcek.isCa) refuse('chain', step.chain, `Not the certificates of a chip of ${product}.`);
}

async function verifyReportSignature(report: SnpReport, vcek: Certificate): Promise<void> {
  const isSigned = await verifySignature({
    subjectPublicKeyInfo: vcek.subjectPublicKeyInfo,
    algorithm: 'ecdsa-p384-sha384',
    signature: report.signature,
    message: report.signed,
  });
  if (!isSigned) refuse('signature', step.signature, 'The chip did not sign this report.');
}

function checkChip(report: SnpReport, statement: VcekStatement, product: AmdProduct): void {
  const chipId = readChipId(report, product);
  if (chipId === null || !equalBytes(chipId, statement.chipId)) {
    refuse('wrong-machine', step.chip, 'The certificate is of another chip, or the host hides which one this is.');
  }
  if (!equalBytes(report.reportedTcb, statement.tcb)) {
    refuse('wrong-machine', step.chip, 'The certificate is of other firmware than the report states.');
  }
}

/**
 * What runs now, what the report stands for, what one could go back to, and what started the guest: none may be below the
 * minimum, since older firmware could have lied in the measurement or could read the guest later.
 */
function checkFirmware(report: SnpReport, product: AmdProduct, policy: SevSnpPolicy): TcbVersion {
  const minimum = policy.minimumTcb[product];
  if (minimum === null) refuse('unsupported', step.firmware, `This client accepts no machines of ${product}.`);
  const read = (bytes: Uint8Array) =>
    readTcbVersion(bytes, product) ?? refuse('malformed', step.firmware, 'No versions of firmware.');
  const [current, reported] = [read(report.currentTcb), read(report.reportedTcb)];
  const [committed, launch] = [read(report.committedTcb), read(report.launchTcb)];
  const isOrdered =
    isAtLeast(current, reported) && isAtLeast(current, committed) && report.currentAbi >= report.committedAbi;
  if (!isOrdered) refuse('outdated-firmware', step.firmware, 'The report stands for newer firmware than runs.');
  if (![reported, committed, launch].every((version) => isAtLeast(version, minimum))) {
    refuse('outdated-firmware', step.firmware, `Older than this client accepts: ${describeTcb(reported)}.`);
  }
  return reported;
}

/** AMD 56860, table 10. Debugging comes last, so that a debug machine passes all but that. */
function checkGuestPolicy(report: SnpReport, policy: SevSnpPolicy): void {
  const { guestPolicy } = report;
  const has = (bit: bigint) => ((guestPolicy >> bit) & 1n) === 1n;
  if (!has(17n) || guestPolicy >> 26n !== 0n) refuse('guest-policy', step.guest, 'It sets bits that are reserved.');
  // Major and minor version, of the interface that the guest asks for at least.
  if (Number(guestPolicy & 0xffffn) > report.currentAbi) {
    refuse('guest-policy', step.guest, 'The guest asks for newer firmware than runs.');
  }
  if (has(16n) && !policy.allowSmt) {
    refuse('guest-policy', step.guest, 'Other programs may share a core with the guest (SMT).');
  }
  if (!has(16n) && report.platform.smtEnabled) {
    refuse('guest-policy', step.guest, 'Cores are shared (SMT), though the guest does not allow it.');
  }
  if (has(18n) || !report.migrationAgentId.every((byte) => byte === 0xff)) {
    refuse('migration', step.guest, 'A migration agent may move the guest to another machine.');
  }
  if (has(19n)) refuse('debug', step.guest, 'The host may debug the guest, and so read all of it.');
}
