import { encodeBytes } from '../../../../server/api/route/wire-bytes.ts';
import type { Clock } from '../../../../client/vault/surroundings/clock.ts';
import { LiveFrames } from '../../../../client/vault/relay/live-frames.ts';
import type { TabLocks } from '../../../../client/vault/surroundings/vault-lock.ts';
import {
  LiveRecordSplitter,
  recordBody,
  recordKind,
  recordNumber,
  recordTurnId,
} from '../../../../crypto/protocol/messages/live-record.ts';

const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** The client's own reading of the live response, over a real network: what it has of one turn, and how it came. */
export class LiveReader {
  /** Bodies by number, live and fetched ones. */
  readonly frames = new Map<number, Buffer>();
  /** The longest time in which nothing new of the turn came, in milliseconds. */
  longestPauseMs = 0;
  /** How often a live response began to speak. */
  opened = 0;
  /** Statuses above 499. */
  readonly failures: number[] = [];
  readonly #url: string;
  readonly #token: string;
  readonly #turnId: string;
  readonly #live: LiveFrames;
  #newestAtMs: number | null = null;

  constructor(url: string, token: string, turnId: string) {
    this.#url = url;
    this.#token = token;
    this.#turnId = turnId;
    this.#live = new LiveFrames({
      client: { openLive: (signal) => this.#open(signal) },
      locks: { request: async (...parts: unknown[]) => (parts.at(-1) as () => unknown)() } as TabLocks,
      clock: systemClock,
      random: Math.random,
      network: { isOnline: () => true, onChange: () => () => undefined },
      onRecords: (records) => this.#take(records),
      onUp: () => {
        this.opened += 1;
        void this.fetchMissed();
      },
      onStatus: () => undefined,
      onLate: () => undefined,
    });
    void this.#live.run();
  }

  /** Fetches what is stored of the turn, as the client does when its live response stands again. */
  async fetchMissed(): Promise<void> {
    const answer = await this.#get(`/v1/turns/${this.#turnId}/frames?after=-1`);
    if (answer?.ok === true) this.#take(new Uint8Array(await answer.arrayBuffer()));
  }

  end(): void {
    this.#live.end();
  }

  async #open(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const answer = await this.#get('/v1/live', signal);
    if (answer?.ok !== true || answer.body === null) throw new Error('There is no live response.');
    return answer.body;
  }

  async #get(path: string, signal?: AbortSignal): Promise<Response | null> {
    const init = { headers: { authorization: `Bearer ${this.#token}` }, ...(signal && { signal }) };
    const answer = await fetch(`${this.#url}${path}`, init).catch(() => null);
    if (answer !== null && answer.status >= 500) this.failures.push(answer.status);
    return answer;
  }

  #take(bytes: Uint8Array): void {
    for (const record of new LiveRecordSplitter().push(bytes)) {
      if (recordKind(record) !== 'frame' || encodeBytes(recordTurnId(record)) !== this.#turnId) continue;
      const number = recordNumber(record);
      if (this.frames.has(number)) continue;
      this.frames.set(number, Buffer.from(recordBody(record)));
      const nowMs = performance.now();
      if (this.#newestAtMs !== null) this.longestPauseMs = Math.max(this.longestPauseMs, nowMs - this.#newestAtMs);
      this.#newestAtMs = nowMs;
    }
  }
}
