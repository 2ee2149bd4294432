import type { NvidiaGpuCollateral, NvidiaGpuEvidence } from '../../protocol/messages/evidence-messages.ts';
import { equalBytes } from '../../protocol/bytes/bytes.ts';
import { enforced, notOffered, refuse } from '../policy/evidence-step.ts';
import type { NvidiaGpuPolicy } from '../policy/policy.ts';
import type { MachineInput } from '../policy/machine-input.ts';
import {
  readDevices,
  verifyFirmwareIdentities,
  verifyIdentities,
  verifyReportSignatures,
} from './device/gpu-device.ts';
import { rootsOf } from './gpu-roots.ts';
import { verifyModes, verifyVersions } from './device/gpu-state.ts';
import { pairManifests, verifyManifests, verifyMeasurements } from './manifest/verify-manifests.ts';
import { verifyRevocation } from './verify-revocation.ts';

/**
 * Verifies that every GPU listed is a genuine one of NVIDIA's, in confidential mode, asked just for this enclave. NVIDIA must
 * vouch for its driver and its VBIOS (SPEC.md §9.9).
 *
 * @throws {EvidenceRefused}
 */
export async function verifyNvidiaGpu(
  input: MachineInput<NvidiaGpuEvidence, NvidiaGpuCollateral, NvidiaGpuPolicy>,
): Promise<void> {
  const { evidence, collateral, policy, expected, nowMs, steps } = input;
  const roots = rootsOf(policy);
  const devices = readDevices(evidence.devices);
  steps.push(enforced('gpu-evidence', 'gpus', { count: devices.length }));

  if (!devices.every(({ report }) => equalBytes(report.nonce, expected))) {
    refuse('nonce', 'gpu-nonce', 'gpu-of-other-enclave');
  }
  steps.push(enforced('gpu-nonce', 'gpus-of-this-enclave'));

  await verifyIdentities(devices, roots.device, nowMs);
  steps.push(enforced('gpu-certificates', 'gpus-certified'));
  await verifyReportSignatures(devices);
  steps.push(enforced('gpu-signature', 'gpu-reports-signed'));
  const isEachNamed = verifyFirmwareIdentities(devices);
  steps.push(
    isEachNamed
      ? enforced('gpu-firmware', 'gpu-firmware-certified')
      : notOffered('gpu-firmware', 'gpu-firmware-not-reported'),
  );

  verifyVersions(devices, policy);
  const versions = new Set(devices.map(({ report }) => `${report.driverVersion} ${report.vbiosVersion}`));
  steps.push(enforced('gpu-driver', 'gpu-versions', { versions: [...versions] }));
  verifyModes(devices);
  steps.push(enforced('gpu-mode', 'gpu-modes-closed'));

  const manifests = await verifyManifests(collateral, roots.manifest, nowMs);
  const pairs = pairManifests(devices, manifests);
  steps.push(enforced('gpu-reference-values', 'manifests-signed', { count: manifests.length }));
  const count = verifyMeasurements(devices, pairs);
  steps.push(
    enforced('gpu-measurements', 'gpu-measured', { count }),
    await verifyRevocation({ devices, collateral, policy, nowMs }),
  );
}
