import { refuse } from '../../policy/evidence-step.ts';
import type { NvidiaGpuPolicy } from '../../policy/policy.ts';
import type { GpuDevice } from './gpu-device.ts';

/** Feature flags: the names of 0 and 1 differ between NVIDIA's own tools; both keep links and memory encrypted. */
const confidentialFlags: readonly (number | null)[] = [null, 0, 1];
const protectedPcieFlag = 2;

/** Architecture, driver and VBIOS. @throws {EvidenceRefused} `kind-not-allowed`, `outdated-firmware`. */
export function verifyVersions(devices: readonly GpuDevice[], policy: NvidiaGpuPolicy): void {
  for (const { architecture, report } of devices) {
    if (!policy.architectures.includes(architecture)) {
      refuse('kind-not-allowed', 'gpu-driver', 'architecture-not-accepted');
    }
    if (compareVersions(report.driverVersion, policy.minimumDriverVersion) < 0) {
      refuse('outdated-firmware', 'gpu-driver', 'driver-too-old');
    }
    const minimumVbios = policy.minimumVbiosVersion[architecture];
    if (minimumVbios !== null && compareVersions(report.vbiosVersion, minimumVbios, 16) < 0) {
      refuse('outdated-firmware', 'gpu-driver', 'vbios-too-old');
    }
  }
}

/**
 * No GPU in a mode that leaves traffic in the clear, and all in the same one. That a GPU is in confidential mode at all, and not
 * in that for developers, shows in its measurements: reference values are of the production mode alone.
 */
export function verifyModes(devices: readonly GpuDevice[]): void {
  for (const { report } of devices) {
    if (report.isProtectedPcie || report.featureFlag === protectedPcieFlag) {
      refuse('not-confidential', 'gpu-mode', 'protected-pcie');
    }
    if (!confidentialFlags.includes(report.featureFlag)) {
      refuse('not-confidential', 'gpu-mode', 'gpu-mode-unknown');
    }
  }
  if (new Set(devices.map(({ report }) => report.featureFlag)).size > 1) {
    refuse('not-confidential', 'gpu-mode', 'gpu-modes-differ');
  }
}

/** Compares number by number; a missing part is 0. @param radix - The numbers' base: VBIOS versions are hexadecimal. */
export function compareVersions(a: string, b: string, radix: 10 | 16 = 10): number {
  const [left, right] = [a, b].map((version) => version.split('.').map((part) => Number.parseInt(part, radix)));
  for (let index = 0; index < 5; index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
