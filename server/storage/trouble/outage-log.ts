import { coarseMs, type Log, type LogFields } from '../../../process/event-log.ts';
import { type TroubleCause, troubleOf } from './storage-trouble.ts';

const probeIntervalMs = 2_000;

/**
 * A log that says once that the database does not work, and once that it works again, whatever failed in between: hundreds
 * of calls and timers meet the same outage.
 */
export class OutageLog implements Log {
  readonly #log: Log;
  readonly #intervalMs: number;
  #probe: (() => Promise<unknown>) | null = null;
  #outage: { readonly cause: TroubleCause; readonly beganAtMs: number } | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(log: Log, intervalMs = probeIntervalMs) {
    this.#log = log;
    this.#intervalMs = intervalMs;
  }

  /** @param probe - Writes something small: it resolves once the database works. */
  watch(probe: () => Promise<unknown>): void {
    this.#probe = probe;
  }

  close(): void {
    this.#probe = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  error(event: string, fields?: LogFields): void {
    if (!this.#isOutage(fields)) this.#log.error(event, fields);
  }

  warn(event: string, fields?: LogFields): void {
    if (!this.#isOutage(fields)) this.#log.warn(event, fields);
  }

  info(event: string, fields?: LogFields): void {
    this.#log.info(event, fields);
  }

  debug(event: string, fields?: LogFields): void {
    this.#log.debug(event, fields);
  }

  #isOutage(fields: LogFields | undefined): boolean {
    const cause = troubleOf(fields?.['error']);
    if (cause === null || this.#probe === null) return false;
    if (this.#outage === null) {
      this.#outage = { cause, beganAtMs: performance.now() };
      this.#log.error('storage-failing', { cause, error: fields?.['error'] });
      this.#plan();
    }
    return true;
  }

  #plan(): void {
    this.#timer = setTimeout(() => void this.#try(), this.#intervalMs);
    this.#timer.unref();
  }

  async #try(): Promise<void> {
    try {
      await this.#probe?.();
    } catch {
      if (this.#probe !== null) this.#plan();
      return;
    }
    if (this.#outage === null || this.#probe === null) return;
    const { beganAtMs, cause } = this.#outage;
    this.#outage = null;
    this.#log.warn('storage-works-again', { cause, ms: coarseMs(performance.now() - beganAtMs) });
  }
}
