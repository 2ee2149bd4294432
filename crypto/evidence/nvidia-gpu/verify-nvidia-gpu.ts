import type { NvidiaGpuCollateral, NvidiaGpuEvidence } from '../../protocol/messages/evidence-messages.ts';
import { equalBytes } from '../../protocol/bytes/bytes.ts';
import { enforced, notOffered, refuse } from '../evidence-step.ts';
import type { NvidiaGpuPolicy } from '../policy.ts';
import type { MachineInput } from '../verify-machine.ts';
import { readDevices, verifyFirmwareIdentities, verifyIdentities, verifyReportSignatures } from './gpu-device.ts';
import { rootsOf } from './gpu-roots.ts';
import { verifyModes, verifyVersions } from './gpu-state.ts';
import { pairManifests, verifyManifests, verifyMeasurements } from './verify-manifests.ts';
import { verifyRevocation } from './verify-revocation.ts';

/**
 * Verifies that every GPU listed is a genuine one of NVIDIA's, asked just for this enclave, in confidential mode, with a driver
 * and a VBIOS that NVIDIA vouches for (SPEC.md §9.9).
 *
 * @throws {EvidenceRefused}
 */
export async function verifyNvidiaGpu(
  input: MachineInput<NvidiaGpuEvidence, NvidiaGpuCollateral, NvidiaGpuPolicy>,
): Promise<void> {
  const { evidence, collateral, policy, expected, nowMs, steps } = input;
  const roots = rootsOf(policy);
  const devices = readDevices(evidence.devices);
  steps.push(enforced('GPU evidence', devices.length === 1 ? 'Of one GPU.' : `Of ${devices.length} GPUs.`));

  if (!devices.every(({ report }) => equalBytes(report.nonce, expected))) {
    refuse(
      'nonce',
      'GPU nonce',
      'A GPU did not answer this enclave: it may be of another machine, or of another time.',
    );
  }
  steps.push(enforced('GPU nonce', 'Each GPU answered for this enclave and this evidence.'));

  await verifyIdentities(devices, roots.device, nowMs);
  steps.push(enforced('GPU certificates', "Each is another GPU, by a chain that ends at NVIDIA's root."));
  await verifyReportSignatures(devices);
  steps.push(enforced('GPU signature', 'Each report is signed by its GPU.'));
  const isEachNamed = verifyFirmwareIdentities(devices);
  steps.push(
    isEachNamed
      ? enforced('GPU firmware', 'Each runs the firmware that its certificate was made for.')
      : notOffered('GPU firmware', 'This driver does not report the firmware that its certificate was made for.'),
  );

  verifyVersions(devices, policy);
  const versions = new Set(devices.map(({ report }) => `${report.driverVersion}, VBIOS ${report.vbiosVersion}`));
  steps.push(enforced('GPU driver', [...versions].join('; ')));
  verifyModes(devices);
  steps.push(enforced('GPU mode', 'No GPU is in a mode that leaves traffic in the clear.'));

  const manifests = await verifyManifests(collateral, roots.manifest, nowMs);
  const pairs = pairManifests(devices, manifests);
  steps.push(enforced('GPU reference values', `${manifests.length} manifests, signed by NVIDIA.`));
  const count = verifyMeasurements(devices, pairs);
  steps.push(
    enforced('GPU measurements', `All ${count} are as NVIDIA gives them for confidential mode, without debugging.`),
    await verifyRevocation({ devices, collateral, policy, nowMs }),
  );
}
