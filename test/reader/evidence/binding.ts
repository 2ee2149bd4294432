import { createHash } from 'node:crypto';
import { writeCanonicalJson, type Json } from '../protocol/canonical-json.ts';
import { lp, sha256, u64, type Bytes } from '../protocol/conventions.ts';

export type Binding = { identityPublicKey: Bytes; freshness: Bytes; notAfterMs: number; imageDigest: Bytes };

const bind0 = (binding: Binding): Bytes =>
  sha256(
    lp('sotto/v1/bind', binding.identityPublicKey, binding.freshness, u64(binding.notAfterMs), binding.imageDigest),
  );

/** SPEC.md §9.5 */
export const gpuNonce = (binding: Binding): Bytes => sha256(lp('sotto/v1/gpu-nonce', bind0(binding)));

/** SPEC.md §9.5 */
export const reportData = (binding: Binding, devices: Json): Bytes =>
  new Uint8Array(
    createHash('sha512')
      .update(lp('sotto/v1/report-data', bind0(binding), sha256(writeCanonicalJson(devices))))
      .digest(),
  );

/** SPEC.md §9.4 */
export const pairDigest = (first: Bytes, second: Bytes): Bytes => sha256(lp('sotto/v1/evidence-pair', first, second));
