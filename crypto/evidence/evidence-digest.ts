import type { Attestation } from '../protocol/messages/enclave-messages.ts';
import { type Bytes, fromBase64Url } from '../protocol/bytes/bytes.ts';
import { encodeCanonicalJson } from '../protocol/json/canonical-json.ts';
import { labelled, sha256 } from '../protocol/bytes/hash.ts';

/** SHA-256 over evidence, statement and signature as they were verified (SPEC.md §9.4); collateral is no part of it. */
export function digestEvidence(attestation: Pick<Attestation, 'evidence' | 'statement' | 'signature'>): Bytes {
  return sha256(
    labelled(
      'sotto/v1/evidence',
      encodeCanonicalJson(attestation.evidence),
      fromBase64Url(attestation.statement),
      fromBase64Url(attestation.signature),
    ),
  );
}

/** A request sealed to two enclaves carries this: both digests, in the order of its recipients (SPEC.md §9.4). */
export function joinEvidenceDigests(first: Uint8Array, second: Uint8Array): Bytes {
  return sha256(labelled('sotto/v1/evidence-pair', first, second));
}
