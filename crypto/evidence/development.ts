import type { EvidenceItem } from '../protocol/messages/evidence-messages.ts';
import { toBase64Url } from '../protocol/bytes/bytes.ts';

/** Evidence that claims nothing: the identity key, stated by the machine itself. */
export function createDevelopmentEvidence(identityPublicKey: Uint8Array): EvidenceItem {
  return { kind: 'development', identityPublicKey: toBase64Url(identityPublicKey) };
}
