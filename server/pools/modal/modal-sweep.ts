import type { Clock } from '../../storage/clock-watch.ts';
import type { Log } from '../../../process/event-log.ts';
import type { EnclaveSessionTable } from '../../storage/tables/schema.ts';
import type { ModalEnclave } from './modal-enclave.ts';
import type { ModalSessionRows } from './modal-session-rows.ts';

/** A row is at most this much older than the last use that it tells of. */
const graceMs = 60_000;
const hurryMs = 500;

export type SweepDependencies = {
  readonly rows: ModalSessionRows;
  readonly log: Log;
  readonly clock: Clock;
  readonly everyMs: number;
  /** After as long without use the front door has ended a session by itself. */
  readonly idleMs: number;
  readonly enclaves: Map<string, ModalEnclave>;
  readonly end: (row: EnclaveSessionTable) => Promise<void>;
};

/** Notes which sessions are in use, and ends those of accounts that went idle or signed out. */
export class ModalSweep {
  readonly #dependencies: SweepDependencies;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  #touchedAtMs = -Infinity;
  #dueAtMs = Infinity;

  constructor(dependencies: SweepDependencies) {
    this.#dependencies = dependencies;
  }

  start(): void {
    this.#plan(this.#dependencies.everyMs);
  }

  /** Somebody signed out: does not wait for the next round. */
  hurry(): void {
    this.#plan(Math.min(hurryMs, this.#dependencies.everyMs));
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  #plan(delayMs: number): void {
    const dueAtMs = performance.now() + delayMs;
    // A sweep that is due sooner is not put off by somebody in less of a hurry.
    if (this.#closed || dueAtMs >= this.#dueAtMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueAtMs = dueAtMs;
    this.#timer = setTimeout(() => {
      this.#dueAtMs = Infinity;
      this.#running = this.#running
        .then(() => this.#once())
        .catch((error: unknown) => this.#dependencies.log.error('enclave-sweep-failed', { error }))
        .finally(() => this.#plan(this.#dependencies.everyMs));
    }, delayMs);
    this.#timer.unref();
  }

  async #once(): Promise<void> {
    const { clock, enclaves, rows, idleMs, end } = this.#dependencies;
    const nowMs = Date.now();
    const countMs = performance.now();
    const used = [...enclaves.values()].filter((enclave) => enclave.usedAtMs > this.#touchedAtMs);
    await rows.touch(
      used.map((enclave) => enclave.id),
      nowMs,
    );
    this.#touchedAtMs = countMs;
    // A container that is ended by a clock far ahead takes somebody's running turn with it.
    const earliestMs = clock.earliest(nowMs);
    for (const row of await rows.findIdle(earliestMs - idleMs - graceMs)) await end(row);
    for (const row of await rows.findDeserted(earliestMs)) await end(row);
    // Another process ended these, and nobody here has used them since.
    for (const [id, enclave] of enclaves) {
      if (enclave.usedAtMs > countMs - idleMs - graceMs) continue;
      enclaves.delete(id);
      enclave.markLost();
    }
  }
}
