import type { EvidenceItem } from '../protocol/messages/evidence-messages.ts';
import { toBase64Url } from '../protocol/bytes/bytes.ts';

/** What the client says of this kind, word for word (SPEC.md §9.3). */
export const developmentSentence = 'No protection from whoever runs this machine.';

/** Evidence that claims nothing: the identity key, stated by the machine itself. */
export function createDevelopmentEvidence(identityPublicKey: Uint8Array): EvidenceItem {
  return { kind: 'development', identityPublicKey: toBase64Url(identityPublicKey) };
}
