import { RelayCallError } from '../../relay/http/relay-call-error.ts';
import { toVaultError, VaultError } from '../../failures/vault-error.ts';
import { backOffMs } from '../../surroundings/back-off.ts';

/** Why a request did not get to an enclave, and what helps. */
export type Setback =
  /** The enclave no longer knows its key, or the request's time ran out: it is to be sealed anew. */
  | { readonly kind: 'stale' }
  /** After a pause it may go. `doubts`: an enclave is to be asked for anew by then. */
  | { readonly kind: 'later'; readonly why: Delay; readonly doubts: boolean; readonly error: VaultError }
  /** Only the person can help. */
  | { readonly kind: 'final'; readonly doubts: boolean; readonly error: VaultError };

type Delay = 'unreachable' | 'refused' | 'starting';

/** Tells by an error of sealing or posting what helps. */
export function readSetback(error: unknown): Setback {
  const code = error instanceof RelayCallError ? error.code : null;
  if (code === 'unknown-key' || code === 'request-expired') return { kind: 'stale' };
  const failure = toVaultError(error);
  switch (failure.code) {
    case 'too-many-attempts': {
      // The relay has said nothing of the enclave: another look at its evidence would only be one call more.
      const tooMany = new VaultError('relay:too-many-requests', failure.retryAfterMs);
      return { kind: 'later', why: 'refused', doubts: false, error: tooMany };
    }
    case 'relay-unreachable':
    case 'session-ended':
      return { kind: 'later', why: 'unreachable', doubts: false, error: failure };
    case 'part-missing':
    case 'too-many-on-the-way':
      return { kind: 'later', why: 'refused', doubts: false, error: failure };
    case 'enclave-starting':
      return { kind: 'later', why: 'starting', doubts: false, error: failure };
    case 'enclave-unreachable':
    case 'relay:enclave-busy':
    case 'relay:not-ready':
    case 'relay:internal-error':
    case 'relay:storage-full':
    case 'relay:storage-failing':
      return { kind: 'later', why: 'refused', doubts: true, error: failure };
    default:
      return { kind: 'final', doubts: false, error: failure };
  }
}

/** Tries of one question before the person is told. Nothing limits how often a silent relay is called: words are kept as long as it takes. */
const mostTries: Readonly<Record<Delay | 'sealings', number>> = {
  unreachable: Number.POSITIVE_INFINITY,
  refused: 5,
  // A cold start: a quarter of an hour.
  starting: 40,
  // Other enclaves that a question is sealed to by itself.
  sealings: 3,
};

/** How often one question was set back, and when that is too often. */
export class Patience {
  readonly #tries = { unreachable: 0, refused: 0, starting: 0, sealings: 0 };

  /** @returns the setback, or what the person is to be told where it came too often. */
  weigh(setback: Setback): Setback {
    if (setback.kind === 'stale') return this.sealAgain() ? setback : { ...enclaveChanged(), doubts: true };
    if (setback.kind === 'final') return setback;
    const { doubts, error, why } = setback;
    this.#tries[why] += 1;
    return this.#tries[why] > mostTries[why] ? { kind: 'final', doubts, error } : setback;
  }

  /** @returns whether it may be sealed to another enclave once more. */
  sealAgain(): boolean {
    this.#tries.sealings += 1;
    return this.#tries.sealings <= mostTries.sealings;
  }

  /** Never before the relay wants it, and later each time. */
  pauseMs({ why, error }: Extract<Setback, { kind: 'later' }>, random: () => number): number {
    return Math.max(error.retryAfterMs ?? 0, backOffMs(this.#tries[why], random));
  }
}

/** The person is to be asked: the enclave changed too often, or is another than the shield showed. */
export function enclaveChanged(): Extract<Setback, { kind: 'final' }> {
  return { kind: 'final', doubts: false, error: new VaultError('enclave-changed') };
}
