import type { NvidiaGpuEvidence } from '../../../protocol/messages/evidence-messages.ts';
import { fromBase64Url } from '../../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../../protocol/bytes/errors.ts';
import { type GpuReport, parseGpuReport } from './gpu-report.ts';

type Architecture = NvidiaGpuEvidence['devices'][number]['architecture'];

/** The most ids that `collateralNeeds` may name. */
const maximumIds = 8;

/**
 * The reference manifests that a client needs for these GPUs, as NVIDIA's RIM service names them: for `collateralNeeds`.
 *
 * @returns Each once, drivers and VBIOS of all devices: 2 for a machine of equal GPUs.
 * @throws {CryptoError} `malformed` for a report that no client could read, or more than 8 manifests.
 */
export function listManifestIds(devices: NvidiaGpuEvidence['devices']): string[] {
  const ids = new Set<string>();
  for (const { architecture, report } of devices) {
    const parsed = parseGpuReport(fromBase64Url(report));
    ids.add(nameDriverManifest(architecture, parsed));
    ids.add(nameVbiosManifest(parsed));
  }
  if (ids.size > maximumIds) throw new CryptoError('malformed');
  return [...ids];
}

/** The chip that the report or, on Hopper, its architecture names: the `product` of its manifests. */
export function nameChip(architecture: Architecture, { chip }: GpuReport): string {
  if (architecture === 'HOPPER') return 'GH100';
  // Drivers before opaque data version 1 ran on GB100 alone.
  return chip ?? 'GB100';
}

function nameDriverManifest(architecture: Architecture, report: GpuReport): string {
  const prefix = architecture === 'HOPPER' ? 'NV_GPU_DRIVER' : 'NV_GPU_CC_DRIVER';
  return `${prefix}_${nameChip(architecture, report)}_${report.driverVersion}`;
}

function nameVbiosManifest({ project, projectSku, chipSku, vbiosVersion }: GpuReport): string {
  const board = [project, projectSku, chipSku].join('_').toUpperCase();
  return `NV_GPU_VBIOS_${board}_${vbiosVersion.replaceAll('.', '')}`;
}
