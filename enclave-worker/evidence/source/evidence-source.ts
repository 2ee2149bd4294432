import type {
  CollateralItem,
  CollateralNeed,
  EvidenceItem,
} from '../../../crypto/protocol/messages/evidence-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';

/** Why there is no evidence, for the log and for whoever watches the terminal: nothing of what a machine or peer said. */
export const evidenceProblems = [
  'no-interface',
  'no-provider',
  'wrong-provider',
  'not-permitted',
  'interrupted',
  'too-large',
  'malformed',
  'tool-missing',
  'tool-failed',
  'tool-slow',
  'registrar-unreachable',
  'registrar-refused',
  'slow',
  'failed',
] as const;
export type EvidenceProblem = (typeof evidenceProblems)[number];

export class EvidenceError extends Error {
  override readonly name = 'EvidenceError';
  readonly problem: EvidenceProblem;

  constructor(problem: EvidenceProblem) {
    super(problem);
    this.problem = problem;
  }
}

/** There is none for this caller now: `starting` until there is some, `busy` when too many ask for their own. */
export class NoEvidence extends Error {
  override readonly name = 'NoEvidence';
  readonly reason: 'starting' | 'busy';

  constructor(reason: 'starting' | 'busy') {
    super(reason);
    this.reason = reason;
  }
}

/** The machine's evidence and its devices', and what is known or needed beside it to check it. */
export type CollectedEvidence = {
  readonly evidence: readonly EvidenceItem[];
  readonly collateral: readonly CollateralItem[];
  readonly collateralNeeds: readonly CollateralNeed[];
};

/** Where an enclave's evidence comes from. It is about one identity key, for as long as the process lives. */
export interface EvidenceSource {
  /** True if `current` has something to give. */
  readonly isReady: boolean;
  /** Begins to collect, and goes on renewing. */
  start(): void;
  /**
   * @param freshness - A client's nonce (32) that hardware shall sign, or null for what is at hand. Kinds that sign no
   * nonce ignore it.
   * @throws {NoEvidence}
   */
  current(freshness: Bytes | null): Promise<CollectedEvidence>;
  close(): void;
}
