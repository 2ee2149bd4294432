import type { NvidiaGpuEvidence } from '../protocol/messages/evidence-messages.ts';
import { type Bytes, fromBase64Url, uint64 } from '../protocol/bytes/bytes.ts';
import { encodeCanonicalJson } from '../protocol/json/canonical-json.ts';
import { labelled, sha256, sha512 } from '../protocol/bytes/hash.ts';

/** An enclave ties this to its hardware: one identity, for a while, of one image (SPEC.md §9.5). */
export type EvidenceBinding = {
  /** 32 */
  readonly identityPublicKey: Uint8Array;
  /** 32: the enclave's own random bytes, or the client's nonce. */
  readonly freshness: Uint8Array;
  readonly notAfterMs: number;
  /** 32: SHA-256 of the worker's bundled file. */
  readonly imageDigest: Uint8Array;
};

/** The nonce that every GPU of the machine must sign (SPEC.md §9.5). @returns 32 bytes. */
export function deriveGpuNonce(binding: EvidenceBinding): Bytes {
  return sha256(labelled('sotto/v1/gpu-nonce', hashBinding(binding)));
}

/**
 * The report data that the machine must sign (SPEC.md §9.5).
 *
 * @param devices - The devices of the `nvidia-gpu` evidence beside it; empty where there is none.
 * @returns 64 bytes.
 */
export function deriveReportData(binding: EvidenceBinding, devices: NvidiaGpuEvidence['devices'] | readonly []): Bytes {
  return sha512(labelled('sotto/v1/report-data', hashBinding(binding), sha256(encodeCanonicalJson(devices))));
}

/** The binding of a piece of evidence as it came on the wire. */
export function readBinding(item: {
  readonly identityPublicKey: string;
  readonly freshness: string;
  readonly notAfterMs: number;
  readonly imageDigest: string;
}): EvidenceBinding {
  return {
    identityPublicKey: fromBase64Url(item.identityPublicKey),
    freshness: fromBase64Url(item.freshness),
    notAfterMs: item.notAfterMs,
    imageDigest: fromBase64Url(item.imageDigest),
  };
}

function hashBinding({ identityPublicKey, freshness, notAfterMs, imageDigest }: EvidenceBinding): Bytes {
  return sha256(labelled('sotto/v1/bind', identityPublicKey, freshness, uint64(notAfterMs), imageDigest));
}
