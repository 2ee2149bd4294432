import type { EnclaveEvidence, KeyStatement } from '../protocol/messages/enclave-messages.ts';
import type { CollateralItem, EvidenceItem, NvidiaGpuEvidence } from '../protocol/messages/evidence-messages.ts';
import { type Bytes, equalBytes } from '../protocol/bytes/bytes.ts';
import { deriveGpuNonce, deriveReportData, type EvidenceBinding, readBinding } from './binding.ts';
import { developmentSentence } from './development.ts';
import { enforced, notOffered, refuse, type VerificationStep } from './evidence-step.ts';
import { modalSentence } from './modal/modal-sentence.ts';
import type { ProtectionLevel } from '../protocol/protection-level.ts';
import type { EnclavePolicy, Release } from './policy.ts';

/** What a verifier of hardware evidence is given beside its own piece, and what it finds. */
export type MachineInput<Item, Collateral, Section> = {
  readonly evidence: Item;
  readonly collateral: Collateral;
  readonly policy: Section;
  /** What the hardware must have signed (SPEC.md §9.5). */
  readonly expected: Bytes;
  readonly nowMs: number;
  /** Each check adds its line as soon as it has passed. */
  readonly steps: VerificationStep[];
};
/** The measurement as `findRelease` compares it: hex, for TDX MRTD and the four RTMRs joined by a blank. */
export type MachineFinding = { readonly measurement: string };

type Question = {
  readonly answer: Omit<EnclaveEvidence, 'status'>;
  readonly nonce: Uint8Array;
  readonly policy: EnclavePolicy;
  readonly statement: KeyStatement;
  readonly nowMs: number;
  readonly steps: VerificationStep[];
};
export type MachineVerdict = {
  readonly sentence: string;
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
  const [machine, device, ...others] = question.answer.evidence;
  if (machine === undefined || others.length > 0 || (device !== undefined && device.kind !== 'nvidia-gpu')) {
    // With a second piece of the same sort beside it, which of the two is true would be the sender's choice.
    refuse('malformed', 'Kind of evidence', 'The evidence is not of one kind.');
  }
  switch (machine.kind) {
    case 'development':
      refuseDevice(device);
      question.steps.push(notOffered('Hardware', 'No hardware vouches for this machine.'));
      return { sentence: developmentSentence, level: 'any', measurement: null, release: null };
    case 'modal': {
      refuseDevice(device);
      checkClock(question);
      if (question.policy.modal === null) refuse('kind-not-allowed', 'Modal', 'This client names no registrar.');
      const { verifyModal } = await import('./modal/verify-modal.ts');
      verifyModal({
        ...question,
        evidence: machine,
        policy: question.policy.modal,
        maximumAgeMs: question.policy.maximumEvidenceAgeMs,
      });
      question.steps.push(notOffered('Hardware', 'Modal offers no hardware evidence.'));
      return { sentence: modalSentence, level: 'stated', measurement: null, release: null };
    }
    case 'sev-snp':
    case 'tdx':
      return verifyHardware(question, machine, device ?? null);
    case 'nvidia-gpu':
      return refuse('malformed', 'Kind of evidence', 'A GPU alone vouches for no machine.');
  }
}

function refuseDevice(device: EvidenceItem | undefined): void {
  if (device !== undefined) refuse('malformed', 'Kind of evidence', 'The evidence is not of one kind.');
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
    if (policy.sevSnp === null) refuse('kind-not-allowed', 'AMD SEV-SNP', 'This client has no policy for it.');
    const collateral = findCollateral(question.answer.collateral, 'sev-snp');
    const { verifySevSnp } = await import('./sev-snp/verify-sev-snp.ts');
    finding = await verifySevSnp({ ...common, evidence: machine, collateral, policy: policy.sevSnp });
  } else {
    if (policy.tdx === null) refuse('kind-not-allowed', 'Intel TDX', 'This client has no policy for it.');
    const collateral = findCollateral(question.answer.collateral, 'tdx');
    const { verifyTdx } = await import('./tdx/verify-tdx.ts');
    finding = await verifyTdx({ ...common, evidence: machine, collateral, policy: policy.tdx });
  }
  const release = findRelease(policy, machine.kind, finding.measurement, machine.imageDigest);
  steps.push(enforced('Measurement', `Release ${release.version}: ${finding.measurement}`));
  const vendor = machine.kind === 'sev-snp' ? 'AMD' : 'Intel';
  const sentence = `${vendor} hardware signed that measured software ${release.version} runs here, and ${release.version} is in the release list`;
  if (device === null) {
    steps.push(notOffered('GPU', 'No evidence about a GPU.'));
    return { sentence: `${sentence}.`, level: 'hardware', measurement: finding.measurement, release };
  }
  if (policy.nvidiaGpu === null) refuse('kind-not-allowed', 'GPU', 'This client has no policy for NVIDIA GPUs.');
  const { verifyNvidiaGpu } = await import('./nvidia-gpu/verify-nvidia-gpu.ts');
  const collateral = findCollateral(question.answer.collateral, 'nvidia-gpu');
  const expected = deriveGpuNonce(binding);
  await verifyNvidiaGpu({ evidence: device, collateral, policy: policy.nvidiaGpu, expected, nowMs, steps });
  return {
    sentence: `${sentence}, and the GPU is genuine, in confidential mode.`,
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
  const name = 'Clock';
  if (Math.abs(statement.issuedAtMs - nowMs) > policy.maximumClockDifferenceMs) {
    refuse('clock', name, "The enclave's clock and this device's lie too far apart.");
  }
  steps.push(enforced(name, "The enclave's clock and this device's agree."));
}

/** By the enclave's own clock, which the key statement just showed for this nonce. */
function checkAge({ policy, statement, nonce, steps }: Question, { notAfterMs, freshness }: EvidenceBinding): void {
  const leftMs = notAfterMs - statement.issuedAtMs;
  if (leftMs <= 0 || leftMs > policy.maximumEvidenceAgeMs) {
    refuse('too-old', 'Age of the evidence', 'It is over, or claims to hold for longer than this client accepts.');
  }
  if (policy.requireNonceInReport && !equalBytes(freshness, nonce)) {
    refuse('nonce', 'Age of the evidence', 'The hardware did not sign for this very question.');
  }
  steps.push(enforced('Age of the evidence', `It holds for ${Math.ceil(leftMs / 60_000)} more minutes.`));
}

function findCollateral<Kind extends CollateralItem['kind']>(
  collateral: readonly CollateralItem[] | undefined,
  kind: Kind,
): Extract<CollateralItem, { kind: Kind }> {
  const [found, ...others] = (collateral ?? []).filter(
    (item): item is Extract<CollateralItem, { kind: Kind }> => item.kind === kind,
  );
  if (found === undefined || others.length > 0) {
    refuse('collateral-missing', 'Certificates', "The vendor's certificates for this machine did not come with it.");
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
    refuse('measurement', 'Measurement', `Not of a release that this client knows: ${measurement}.`);
  }
  return release;
}
