import { coarseMs, type Log } from '../../../process/event-log.ts';
import type { EnclaveSessionTable } from '../../storage/tables/schema.ts';
import { type ModalSessionRows, startLeaseMs } from './modal-session-rows.ts';
import { type FrontDoor, SessionRefused, startSession, terminateSession } from './modal-sessions.ts';

const troubleMs = 60_000;

type Start = { readonly done: Promise<void>; readonly abort: AbortController };

/**
 * Makes the starts that this process has the right to make, each in the background for as long as a container takes to
 * boot. The outcome stands in the session's row, where every process looks.
 */
export class ModalBoot {
  readonly #door: FrontDoor;
  readonly #rows: ModalSessionRows;
  readonly #log: Log;
  readonly #starts = new Map<string, Start>();
  #refusedAtMs = -Infinity;

  constructor(dependencies: { readonly door: FrontDoor; readonly rows: ModalSessionRows; readonly log: Log }) {
    this.#door = dependencies.door;
    this.#rows = dependencies.rows;
    this.#log = dependencies.log;
  }

  /**
   * True if a start was refused a moment ago for a fault that a person has to mend. Not longer: a door that is never asked
   * again would never show that it was mended.
   */
  get isRefused(): boolean {
    return performance.now() - this.#refusedAtMs < troubleMs;
  }

  /** @param row - Claimed by this process. */
  begin(row: EnclaveSessionTable): void {
    const abort = new AbortController();
    const done = this.#run(row, abort)
      .catch((error: unknown) => this.#log.error('enclave-start-failed', { error }))
      .finally(() => this.#starts.delete(row.id));
    this.#starts.set(row.id, { done, abort });
  }

  /** Resolves when a start of this process is over, and after the time otherwise. */
  async wait(id: string, longestMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, longestMs)));
    await Promise.race([this.#starts.get(id)?.done ?? late, late]);
    clearTimeout(timer);
  }

  /** Breaks off what is under way: another process goes on with it. */
  async close(): Promise<void> {
    const starts = [...this.#starts.values()];
    for (const { abort } of starts) abort.abort();
    await Promise.all(starts.map(({ done }) => done));
  }

  async #run(row: EnclaveSessionTable, abort: AbortController): Promise<void> {
    const startedAtMs = performance.now();
    const renewing = setInterval(() => void this.#renew(row.id, abort), startLeaseMs / 3);
    try {
      const order = { key: row.start_key, startedAtMs: row.started_at, signal: abort.signal };
      const token = await startSession(this.#door, order);
      this.#refusedAtMs = -Infinity;
      if (await this.#rows.finishStart(row.id, token, Date.now())) {
        this.#log.info('enclave-started', { coarseMs: coarseMs(performance.now() - startedAtMs) });
      } else {
        await this.#dropUnlessAnothers(row, token);
      }
    } catch (error) {
      if (!(error instanceof SessionRefused)) throw error;
      if (abort.signal.aborted) return await this.#rows.releaseStart(row.id);
      // Below 500 it is a setting: the address, or a proxy token that may not.
      if (!error.isWorthAnother) this.#refusedAtMs = performance.now();
      const event = error.isWorthAnother ? 'enclave-start-timed-out' : 'enclave-start-refused';
      this.#log.error(event, { status: error.status });
      await this.#rows.failStart(row, Date.now());
    } finally {
      clearInterval(renewing);
    }
  }

  async #renew(id: string, abort: AbortController): Promise<void> {
    // A database that does not answer is no reason to give a boot up; somebody else's claim is.
    const isOurs = await this.#rows.renewStart(id, Date.now()).catch(() => true);
    if (!isOurs) abort.abort();
  }

  /** The start was taken over, or its account is gone. The new owner has the same session by the same key. */
  async #dropUnlessAnothers(row: EnclaveSessionTable, token: string): Promise<void> {
    if ((await this.#rows.findById(row.id, row.account_id)) !== null) return;
    const current = await this.#rows.findCurrent({ accountId: row.account_id, model: row.model });
    if (current?.start_key === row.start_key) return;
    await terminateSession(this.#door, token, AbortSignal.timeout(30_000)).catch(() => undefined);
  }
}
