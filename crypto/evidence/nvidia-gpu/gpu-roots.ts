import { type Bytes, fromBase64Url, fromHex } from '../../protocol/bytes/bytes.ts';
import type { NvidiaGpuPolicy } from '../policy/policy.ts';

/** SHA-256 of "NVIDIA Device Identity CA", self-signed, P-384, of 2021-11-05 (NVIDIA nvtrust, verifier_device_root.pem). */
const deviceRoot = '102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48';
/** SHA-256 of "NVIDIA CoRIM signing Root CA", self-signed, P-384, of 2023-03-16 (NVIDIA nvtrust, verifier_RIM_root.pem). */
const manifestRoot = '12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1';

/** Digests of the roots to trust: NVIDIA's two, each for its own sort of chain, or the policy's in place of both. */
export function rootsOf({ roots }: NvidiaGpuPolicy): { readonly device: Bytes[]; readonly manifest: Bytes[] } {
  if (roots === null) return { device: [fromHex(deviceRoot)], manifest: [fromHex(manifestRoot)] };
  const own = roots.map((digest) => fromBase64Url(digest));
  return { device: own, manifest: own };
}
