import { createDevelopmentEvidence } from '../../crypto/evidence/development.ts';
import type { CollectedEvidence, EvidenceSource } from './source/evidence-source.ts';

/** Evidence that claims nothing, and is there at once. */
export class DevelopmentSource implements EvidenceSource {
  readonly isReady = true;
  readonly #collected: CollectedEvidence;

  constructor(identityPublicKey: Uint8Array) {
    this.#collected = {
      evidence: [createDevelopmentEvidence(identityPublicKey)],
      collateral: [],
      collateralNeeds: [],
    };
  }

  start(): void {}

  current(): Promise<CollectedEvidence> {
    return Promise.resolve(this.#collected);
  }

  close(): void {}
}
