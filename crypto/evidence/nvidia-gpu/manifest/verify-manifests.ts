import type { NvidiaGpuCollateral } from '../../../protocol/messages/evidence-messages.ts';
import { type Bytes, equalBytes } from '../../../protocol/bytes/bytes.ts';
import { refuse } from '../../policy/evidence-step.ts';
import { verifyChain } from '../../x509/verify-chain.ts';
import type { GpuDevice } from '../device/gpu-device.ts';
import { readOrRefuse } from '../../policy/read-or-refuse.ts';
import { parseReferenceManifest, type ReferenceManifest } from './reference-manifest.ts';
import { isSignedAsIs } from './xml-signature.ts';

const check = 'gpu-reference-values';
/** Not measured where a GPU has no decoder (NVIDIA nvtrust, Verifier.verify). */
const decoderIndex = 35;

/** Reads all manifests that came, and believes each for its signature, chain and dates, or refuses. */
export async function verifyManifests(
  { referenceManifests }: NvidiaGpuCollateral,
  roots: readonly Bytes[],
  nowMs: number,
): Promise<ReferenceManifest[]> {
  const manifests = referenceManifests.map((text) =>
    readOrRefuse(check, 'manifest-unreadable', () => parseReferenceManifest(text)),
  );
  for (const { root, envelope } of manifests) {
    await verifyChain({ check, certificates: envelope.certificates, rootDigests: roots, nowMs });
    if (envelope.certificates[0]?.isCa !== false) refuse('chain', check, 'manifest-by-authority');
    if (!(await isSignedAsIs(root, envelope))) refuse('signature', check, 'manifest-not-signed');
  }
  return manifests;
}

/** The driver's and the VBIOS's manifest of one GPU. */
export type ManifestPair = readonly [driver: ReferenceManifest, vbios: ReferenceManifest];

/** Finds for each GPU what NVIDIA says of its driver and of its VBIOS. */
export function pairManifests(devices: readonly GpuDevice[], manifests: readonly ReferenceManifest[]): ManifestPair[] {
  return devices.map((device) => {
    const driver = findManifest(manifests, device, device.report.driverVersion);
    const vbios = findManifest(manifests, device, device.report.vbiosVersion);
    for (const index of driver.measurements.keys()) {
      // With two values for one index, the reader would choose which one counts.
      if (vbios.measurements.has(index)) refuse('reference-values', check, 'manifests-contradict');
    }
    return [driver, vbios];
  });
}

function findManifest(manifests: readonly ReferenceManifest[], device: GpuDevice, version: string): ReferenceManifest {
  const [found, ...others] = manifests.filter(
    (manifest) => manifest.product === device.chip && manifest.version.toUpperCase() === version,
  );
  if (found === undefined) refuse('collateral-missing', check, 'manifest-missing');
  if (others.length > 0) refuse('malformed', check, 'manifest-twice');
  if (found.measurements.size === 0) refuse('reference-values', check, 'manifest-empty');
  return found;
}

/**
 * Compares what each GPU measured with its manifests: every active index, one of its values.
 *
 * @param pairs - In the order of the devices.
 * @returns How many measurements of one GPU were compared, at least.
 */
export function verifyMeasurements(devices: readonly GpuDevice[], pairs: readonly ManifestPair[]): number {
  const counts = devices.map((device, index) => {
    const [driver, vbios] = pairs[index] ?? refuse('malformed', check, 'gpu-without-manifests');
    return compareAll(device, driver) + compareAll(device, vbios);
  });
  return Math.min(...counts);
}

function compareAll({ report }: GpuDevice, { measurements }: ReferenceManifest): number {
  let count = 0;
  for (const [index, alternatives] of measurements) {
    if (index === decoderIndex && !report.hasDecoder) continue;
    const measured = report.measurements.get(index);
    if (measured === undefined || !alternatives.some((value) => equalBytes(value, measured))) {
      refuse('measurement', 'gpu-measurements', 'gpu-measurement-other', { index });
    }
    count += 1;
  }
  return count;
}
