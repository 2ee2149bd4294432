import type { RecoverySigningKeys } from '../../../../crypto/account/recovery-phrase.ts';
import type { Clock } from '../../surroundings/clock.ts';

/** Long enough to think of a password; a tab that is left open keeps it no longer. */
const keptMs = 15 * 60_000;

/**
 * The signing keys of the recovery phrase that this tab was signed in by: whoever lost the password can choose a new one
 * without typing the words twice. In memory alone, and the phrase itself is not among it.
 */
export class RecentPhrase {
  readonly #clock: Clock;
  #kept: { readonly keys: RecoverySigningKeys; readonly untilMs: number; readonly callOff: () => void } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  keep(keys: RecoverySigningKeys): void {
    this.wipe();
    const untilMs = this.#clock.monotonicMs() + keptMs;
    this.#kept = { keys, untilMs, callOff: this.#clock.after(keptMs, () => this.wipe()) };
  }

  /** Null once they are wiped; a timer may be late. */
  get keys(): RecoverySigningKeys | null {
    if (this.#kept !== null && this.#clock.monotonicMs() >= this.#kept.untilMs) this.wipe();
    return this.#kept?.keys ?? null;
  }

  wipe(): void {
    this.#kept?.callOff();
    this.#kept?.keys.wipe();
    this.#kept = null;
  }
}
