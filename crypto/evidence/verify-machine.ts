import type { Attestation, KeyStatement } from '../protocol/messages/enclave-messages.ts';
import type { CollateralItem, EvidenceItem, NvidiaGpuEvidence } from '../protocol/messages/evidence-messages.ts';
import { equalBytes } from '../protocol/bytes/bytes.ts';
import { deriveGpuNonce, deriveReportData, type EvidenceBinding, readBinding } from './binding.ts';
import { enforced, notOffered, refuse, type VerificationStep } from './policy/evidence-step.ts';
import type { MachineFinding } from './policy/machine-input.ts';
import type { ProtectionLevel } from '../protocol/protection-level.ts';
import type { EnclavePolicy, Release } from './policy/policy.ts';

type Question = {
  readonly attestation: Omit<Attestation, 'status'>;
  readonly nonce: Uint8Array;
  readonly policy: EnclavePolicy;
  readonly statement: KeyStatement;
  readonly nowMs: number;
  readonly steps: VerificationStep[];
};
export type MachineVerdict = {
  readonly level: ProtectionLevel;
  readonly measurement: string | null;
  readonly release: Release | null;
};

/**
 * Checks who vouches for the machine that holds the identity key (SPEC.md §9.4, step 7 on).
 *
 * @throws {EvidenceRefused}
 */
export async function verifyMachine(question: Question): Promise<MachineVerdict> {
  const [machine, device, ...others] = question.attestation.evidence;
  if (machine === undefined || others.length > 0 || (device !== undefined && device.kind !== 'nvidia-gpu')) {
    // With a second piece of the same sort beside it, which of the two is true would be the sender's choice.
    refuse('malformed', 'evidence-kind', 'kinds-mixed');
  }
  switch (machine.kind) {
    case 'development':
      refuseDevice(device);
      question.steps.push(notOffered('hardware', 'no-hardware'));
      return { level: 'any', measurement: null, release: null };
    case 'modal': {
      refuseDevice(device);
      checkClock(question);
      if (question.policy.modal === null) refuse('kind-not-allowed', 'modal', 'no-registrar');
      const { verifyModal } = await import('./modal/verify-modal.ts');
      verifyModal({
        ...question,
        evidence: machine,
        policy: question.policy.modal,
        maximumAgeMs: question.policy.maximumEvidenceAgeMs,
      });
      question.steps.push(notOffered('hardware', 'no-hardware-at-modal'));
      return { level: 'stated', measurement: null, release: null };
    }
    case 'sev-snp':
    case 'tdx':
      return verifyHardware(question, machine, device ?? null);
    case 'nvidia-gpu':
      return refuse('malformed', 'evidence-kind', 'gpu-alone');
  }
}

function refuseDevice(device: EvidenceItem | undefined): void {
  if (device !== undefined) refuse('malformed', 'evidence-kind', 'kinds-mixed');
}

async function verifyHardware(
  question: Question,
  machine: Extract<EvidenceItem, { kind: 'sev-snp' | 'tdx' }>,
  device: NvidiaGpuEvidence | null,
): Promise<MachineVerdict> {
  const { policy, nowMs, steps } = question;
  checkClock(question);
  const binding = readBinding(machine);
  checkAge(question, binding);
  const common = { expected: deriveReportData(binding, device?.devices ?? []), nowMs, steps };
  let finding: MachineFinding;
  if (machine.kind === 'sev-snp') {
    if (policy.sevSnp === null) refuse('kind-not-allowed', 'sev-snp', 'no-policy');
    const collateral = findCollateral(question.attestation.collateral, 'sev-snp');
    const { verifySevSnp } = await import('./sev-snp/verify-sev-snp.ts');
    finding = await verifySevSnp({ ...common, evidence: machine, collateral, policy: policy.sevSnp });
  } else {
    if (policy.tdx === null) refuse('kind-not-allowed', 'tdx', 'no-policy');
    const collateral = findCollateral(question.attestation.collateral, 'tdx');
    const { verifyTdx } = await import('./tdx/verify-tdx.ts');
    finding = await verifyTdx({ ...common, evidence: machine, collateral, policy: policy.tdx });
  }
  const release = findRelease(policy, machine.kind, finding.measurement, machine.imageDigest);
  steps.push(
    enforced('measurement', 'measured-release', { release: release.version, measurement: finding.measurement }),
  );
  if (device === null) {
    steps.push(notOffered('gpu', 'no-gpu-evidence'));
    return { level: 'hardware', measurement: finding.measurement, release };
  }
  if (policy.nvidiaGpu === null) refuse('kind-not-allowed', 'gpu', 'no-gpu-policy');
  const { verifyNvidiaGpu } = await import('./nvidia-gpu/verify-nvidia-gpu.ts');
  const collateral = findCollateral(question.attestation.collateral, 'nvidia-gpu');
  const expected = deriveGpuNonce(binding);
  await verifyNvidiaGpu({ evidence: device, collateral, policy: policy.nvidiaGpu, expected, nowMs, steps });
  return {
    level: 'hardware-gpu',
    measurement: finding.measurement,
    release,
  };
}

/**
 * The age of evidence is measured by the enclave's clock: whoever holds a leaked identity key could set that to any day. So it may
 * not lie further from the client's than the policy says.
 */
function checkClock({ policy, statement, nowMs, steps }: Question): void {
  const name = 'clock';
  if (Math.abs(statement.issuedAtMs - nowMs) > policy.maximumClockDifferenceMs) {
    refuse('clock', name, 'clocks-apart');
  }
  steps.push(enforced(name, 'clocks-agree'));
}

/** By the enclave's own clock, which the key statement just showed for this nonce. */
function checkAge({ policy, statement, nonce, steps }: Question, { notAfterMs, freshness }: EvidenceBinding): void {
  const leftMs = notAfterMs - statement.issuedAtMs;
  if (leftMs <= 0 || leftMs > policy.maximumEvidenceAgeMs) {
    refuse('too-old', 'evidence-age', 'evidence-over');
  }
  if (policy.requireNonceInReport && !equalBytes(freshness, nonce)) {
    refuse('nonce', 'evidence-age', 'evidence-of-other-question');
  }
  steps.push(enforced('evidence-age', 'evidence-holds', { minutes: Math.ceil(leftMs / 60_000) }));
}

function findCollateral<Kind extends CollateralItem['kind']>(
  collateral: readonly CollateralItem[] | undefined,
  kind: Kind,
): Extract<CollateralItem, { kind: Kind }> {
  const [found, ...others] = (collateral ?? []).filter(
    (item): item is Extract<CollateralItem, { kind: Kind }> => item.kind === kind,
  );
  if (found === undefined || others.length > 0) {
    refuse('collateral-missing', 'collateral', 'collateral-missing');
  }
  return found;
}

/** A measurement and an image digest of one and the same release. */
function findRelease(
  policy: EnclavePolicy,
  kind: 'sev-snp' | 'tdx',
  measurement: string,
  imageDigest: string,
): Release {
  const measurementsOf = (release: Release): readonly string[] =>
    kind === 'sev-snp' ? release.sevSnp : release.tdx.map(({ mrTd, rtMrs }) => [mrTd, ...rtMrs].join(' '));
  const release = policy.releases.find(
    (entry) => entry.imageDigest === imageDigest && measurementsOf(entry).includes(measurement),
  );
  if (release === undefined) {
    refuse('measurement', 'measurement', 'measurement-unknown', { measurement });
  }
  return release;
}
