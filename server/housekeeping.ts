import { forgetAttempts, forgetSessions } from './accounts/forget-attempts.ts';
import type { ClockWatch } from './storage/clock-watch.ts';
import type { Log } from '../process/event-log.ts';
import type { Database } from './storage/tables/database.ts';

const sweepIntervalMs = 60_000;
const spaceIntervalMs = 10_000;

/** Looks after everything that a relay does from time to time, apart from its turns. */
export class Housekeeping {
  readonly #database: Database;
  readonly #log: Log;
  readonly #clock: ClockWatch;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(database: Database, log: Log, clock: ClockWatch) {
    this.#database = database;
    this.#log = log;
    this.#clock = clock;
  }

  start(): void {
    const { space } = this.#database;
    // One line for each line that is crossed, either way.
    space.watch((level) => {
      if (level === 'ample') this.#log.info('storage-ample');
      else this.#log.warn(`storage-${level}`);
    });
    this.#every(spaceIntervalMs, 'space-unknown', () => space.refresh());
    this.#every(sweepIntervalMs, 'sweep-failed', () => this.sweep());
  }

  async sweep(): Promise<void> {
    const nowMs = Date.now();
    const isBelieved = await this.#clock.isBelieved(nowMs);
    await forgetAttempts(this.#database, nowMs, this.#clock.earliest(nowMs));
    if (isBelieved) await forgetSessions(this.#database, nowMs);
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #every(intervalMs: number, failure: string, work: () => Promise<void>): void {
    let isRunning = false;
    this.#timers.push(
      setInterval(() => {
        if (isRunning) return;
        isRunning = true;
        work()
          .catch((error: unknown) => this.#log.error(failure, { error }))
          .finally(() => (isRunning = false));
      }, intervalMs),
    );
  }
}

/** Writes a little, to find out whether the database works. The row is swept away with old counters. */
export async function tryDatabase(database: Database): Promise<void> {
  const row = { subject: new Uint8Array(32), kind: 'probe', window_start: Date.now(), count: 0 };
  await database.write((trx) =>
    trx
      .insertInto('rate_counters')
      .values(row)
      .onConflict((conflict) => conflict.columns(['subject', 'kind']).doUpdateSet({ window_start: row.window_start }))
      .execute(),
  );
}
