import type { Network } from '../surroundings/network.ts';
import { LiveRecordSplitter } from '../../../crypto/protocol/messages/live-record.ts';
import { type Bytes, concat } from '../../../crypto/protocol/bytes/bytes.ts';
import { backOffMs } from '../surroundings/back-off.ts';
import { type Clock, wait } from '../surroundings/clock.ts';
import { RelayCallError } from './http/relay-call-error.ts';
import type { RelayClient } from './relay-client.ts';
import type { TabLocks } from '../surroundings/vault-lock.ts';

/** The relay says something every 15 s. After this long without a whole record it is asked whether it is there, ... */
const lateAfterMs = 17_000;
/** ... by one page sooner, by another later: it spoke to all of them in one moment. */
const lateSpreadMs = 2_000;
/** A stream without a whole record for this long is dead, also if it drips (M36). */
const silenceLimitMs = 40_000;
/** A stream that ended in order, as a relay that restarts ends it, is asked for again soon. */
const reopenDelayMs = 250;

export type LiveStatus = 'connected' | 'connecting' | 'relay-unreachable' | 'offline';

export type LiveDependencies = {
  readonly client: Pick<RelayClient, 'openLive'>;
  readonly locks: TabLocks;
  readonly clock: Clock;
  readonly random: () => number;
  readonly network: Network;
  /** Whole records with their length fields, as they came; also for the other tabs. */
  readonly onRecords: (records: Bytes) => void;
  /** The stream stands (again): whatever was missed is to be fetched. */
  readonly onUp: () => void;
  readonly onStatus: (status: LiveStatus) => void;
  /** The relay's own sign of life is overdue. */
  readonly onLate: () => void;
};

/**
 * The one live response of this browser profile: whichever tab holds the lock reads it and shares the records, still
 * sealed, with the others. Six held streams would block a browser on HTTP/1.1.
 */
export class LiveFrames {
  readonly #dependencies: LiveDependencies;
  readonly #ended: AbortController = new AbortController();
  #status: LiveStatus = 'connecting';
  #hasLock = false;
  #stream: AbortController | null = null;
  #pauseOver: AbortController | null = null;
  #isRenewing = false;

  constructor(dependencies: LiveDependencies) {
    this.#dependencies = dependencies;
  }

  get status(): LiveStatus {
    return this.#status;
  }

  /** True in the tab that reads. */
  get leads(): boolean {
    return this.#hasLock;
  }

  /** Resolves when `end` was called or the session is over. */
  async run(): Promise<void> {
    const { signal } = this.#ended;
    try {
      await this.#dependencies.locks.request('sotto-live', { mode: 'exclusive', signal }, async () => {
        this.#hasLock = true;
        await this.#lead(signal);
      });
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#hasLock = false;
    }
  }

  end(): void {
    this.#ended.abort();
  }

  /** The relay is there (again): no pause is waited for, and a stream that may have died meanwhile is asked for anew. */
  renew(): void {
    this.#pauseOver?.abort();
    if (this.#stream === null) return;
    this.#isRenewing = true;
    this.#stream.abort();
  }

  async #lead(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      // A failure stays shown until the relay speaks.
      if (failures === 0) this.#say('connecting');
      let hasSpoken = false;
      try {
        await this.#readStream(signal, () => {
          if (hasSpoken) return;
          hasSpoken = true;
          failures = 0;
          this.#say('connected');
          this.#dependencies.onUp();
        });
        failures = hasSpoken ? 0 : failures + 1;
      } catch (error) {
        if (error instanceof RelayCallError && error.code === 'session-ended') return;
        failures += 1;
      }
      if (signal.aborted) return;
      if (this.#isRenewing) {
        this.#isRenewing = false;
        continue;
      }
      if (failures === 0) {
        await wait(this.#dependencies.clock, reopenDelayMs * (0.5 + this.#dependencies.random()), signal);
        continue;
      }
      this.#say(this.#dependencies.network.isOnline() ? 'relay-unreachable' : 'offline');
      await this.#pause(backOffMs(failures, this.#dependencies.random), signal);
    }
  }

  /** Waits, but no longer than until the network comes back. */
  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const early = new AbortController();
    this.#pauseOver = early;
    const stop = this.#dependencies.network.onChange(() => {
      if (this.#dependencies.network.isOnline()) early.abort();
    });
    await wait(this.#dependencies.clock, delayMs, AbortSignal.any([signal, early.signal]));
    stop();
    this.#pauseOver = null;
  }

  async #readStream(signal: AbortSignal, onFirst: () => void): Promise<void> {
    const { network } = this.#dependencies;
    const connection = new AbortController();
    const abort = () => connection.abort();
    this.#stream = connection;
    signal.addEventListener('abort', abort, { once: true });
    let callOff = this.#awaitRecord(abort);
    const stop = network.onChange(() => {
      if (!network.isOnline()) abort();
    });
    try {
      const stream = await this.#dependencies.client.openLive(connection.signal);
      const splitter = new LiveRecordSplitter();
      const reader = stream.getReader();
      // Not left to the stream: an abort that does not reach it would leave a dead one open.
      const aborted = whenAborted(connection.signal);
      for (;;) {
        const { done, value } = await Promise.race([reader.read(), aborted]);
        if (done) return;
        const records = splitter.push(value);
        if (records.length === 0) continue;
        callOff();
        callOff = this.#awaitRecord(abort);
        onFirst();
        this.#dependencies.onRecords(concat(...records));
      }
    } finally {
      callOff();
      stop();
      signal.removeEventListener('abort', abort);
      // Also after a record that no relay writes: the stream is not read any further.
      connection.abort();
      this.#stream = null;
    }
  }

  /** @returns what ends both waits. */
  #awaitRecord(giveUp: () => void): () => void {
    const { clock, onLate, random } = this.#dependencies;
    const waits = [clock.after(lateAfterMs + lateSpreadMs * random(), onLate), clock.after(silenceLimitMs, giveUp)];
    return () => {
      for (const callOff of waits) callOff();
    };
  }

  #say(status: LiveStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#dependencies.onStatus(status);
  }
}

/** Rejects with the abort; nobody has to wait for it. */
function whenAborted(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_resolve, reject) => {
    const fail = () => reject(new RelayCallError('relay-unreachable'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
  aborted.catch(() => undefined);
  return aborted;
}
