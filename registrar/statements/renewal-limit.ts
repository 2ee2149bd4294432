import { RegistrarError } from '../registrar-error.ts';

/** A worker renews every half hour; one that is broken must not fill the log. */
const perWindow = 6;
const windowMs = 60_000;

/** Counts renewals of one identity key in a minute. */
export class RenewalLimit {
  readonly #counts = new Map<string, { count: number; startedAtMs: number }>();

  /** @throws {RegistrarError} `too-many-requests`. */
  take(identityPublicKey: string, nowMs: number): void {
    for (const [key, { startedAtMs }] of this.#counts) {
      if (Math.abs(nowMs - startedAtMs) < windowMs) break;
      this.#counts.delete(key);
    }
    const entry = this.#counts.get(identityPublicKey) ?? { count: 0, startedAtMs: nowMs };
    entry.count++;
    this.#counts.set(identityPublicKey, entry);
    if (entry.count > perWindow) throw new RegistrarError('too-many-requests', windowMs / 1000);
  }
}
