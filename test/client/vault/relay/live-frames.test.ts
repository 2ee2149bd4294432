import { describe, expect, it } from 'vitest';
import { encodeLiveRecord } from '../../../../crypto/protocol/messages/live-record.ts';
import { concat } from '../../../../crypto/protocol/bytes/bytes.ts';
import { LiveFrames, type LiveStatus } from '../../../../client/vault/relay/live-frames.ts';
import { RelayCallError } from '../../../../client/vault/relay/http/relay-call-error.ts';
import type { TabLocks } from '../../../../client/vault/surroundings/vault-lock.ts';
import { ManualClock, settle } from '../../../parts/machine/clocks/manual-clock.ts';

const heartbeat = encodeLiveRecord({ kind: 'heartbeat' });
const frame = (number: number) => encodeLiveRecord({ kind: 'frame', number, body: new Uint8Array(272) });

let scopes = 0;

/** One tab's end of the live response, over a relay that the test plays. */
class Stage {
  readonly clock = new ManualClock();
  readonly records: Uint8Array[] = [];
  readonly statuses: LiveStatus[] = [];
  readonly streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  ups = 0;
  lates = 0;
  opens = 0;
  isOnline = true;
  refusal: Error | null = null;
  live: LiveFrames;
  readonly #onChange = new Set<() => void>();

  constructor(scope = `scope-${(scopes += 1)}`) {
    const locks = {
      request: (name: string, ...rest: unknown[]) =>
        (navigator.locks.request as (...parts: unknown[]) => Promise<unknown>)(`${scope} ${name}`, ...rest),
    } as TabLocks;
    this.live = new LiveFrames({
      client: { openLive: (signal) => this.#open(signal) },
      locks,
      clock: this.clock,
      random: () => 0.5,
      network: {
        isOnline: () => this.isOnline,
        onChange: (run) => {
          this.#onChange.add(run);
          return () => this.#onChange.delete(run);
        },
      },
      onRecords: (records) => this.records.push(records),
      onUp: () => {
        this.ups += 1;
      },
      onStatus: (status) => this.statuses.push(status),
      onLate: () => {
        this.lates += 1;
      },
    });
    void this.live.run();
  }

  setOnline(isOnline: boolean): void {
    this.isOnline = isOnline;
    for (const run of this.#onChange) run();
  }

  async say(piece: Uint8Array): Promise<void> {
    this.streams.at(-1)?.enqueue(piece);
    await settle();
  }

  #open(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    this.opens += 1;
    if (this.refusal !== null) return Promise.reject(this.refusal);
    return Promise.resolve(
      new ReadableStream({
        start: (controller) => {
          this.streams.push(controller);
          signal.addEventListener('abort', () => {
            try {
              controller.error(new Error('aborted'));
            } catch {
              // It had ended by itself.
            }
          });
        },
      }),
    );
  }
}

async function connected(): Promise<Stage> {
  const stage = new Stage();
  await settle();
  await stage.say(heartbeat);
  expect(stage.live.status).toBe('connected');
  return stage;
}

describe('LiveFrames', () => {
  it('is connected with the first record and hands on whole records, whatever the pieces', async () => {
    const stage = await connected();
    const bytes = concat(frame(0), frame(1));
    await stage.say(bytes.slice(0, 100));
    await stage.say(bytes.slice(100, 400));
    await stage.say(bytes.slice(400));
    expect(Buffer.concat(stage.records).equals(Buffer.from(concat(heartbeat, bytes)))).toBe(true);
    expect([stage.ups, stage.statuses]).toEqual([1, ['connected']]);
    stage.live.end();
  });

  it('gives up a stream that says nothing for 40 s (M36), and not one that is slow', async () => {
    const stage = await connected();
    for (let i = 0; i < 5; i++) {
      await stage.clock.pass(39_000);
      await stage.say(heartbeat);
    }
    expect(stage.streams).toHaveLength(1);
    await stage.clock.pass(41_000);
    expect(stage.statuses).toContain('relay-unreachable');
    await stage.clock.pass(1_000);
    expect(stage.streams).toHaveLength(2);
    await stage.say(heartbeat);
    expect([stage.live.status, stage.ups]).toEqual(['connected', 2]);
    stage.live.end();
  });

  it('says once that the record of every 15 s is overdue, and not that one is which comes', async () => {
    const stage = await connected();
    for (let i = 0; i < 5; i++) {
      await stage.clock.pass(16_000);
      await stage.say(heartbeat);
    }
    expect(stage.lates).toBe(0);
    await stage.clock.pass(19_000);
    expect([stage.lates, stage.live.status, stage.streams.length]).toEqual([1, 'connected', 1]);
    await stage.clock.pass(19_000);
    expect(stage.lates).toBe(1);
    stage.live.end();
    await settle();
    expect(stage.clock.waiting).toBe(0);
  });

  it('gives up a stream that drips: bytes alone are no sign of life, a record is (M36)', async () => {
    const stage = await connected();
    const bytes = frame(0);
    for (const byte of bytes.subarray(0, 30)) {
      await stage.clock.pass(1_000);
      await stage.say(Uint8Array.of(byte));
    }
    await stage.say(bytes.slice(30));
    expect([stage.records.length, stage.streams.length]).toEqual([2, 1]);
    for (const byte of bytes.subarray(0, 45)) {
      await stage.clock.pass(1_000);
      if (stage.streams.length === 1) await stage.say(Uint8Array.of(byte)).catch(() => undefined);
    }
    expect(stage.statuses).toContain('relay-unreachable');
    expect(stage.streams).toHaveLength(2);
    await stage.say(heartbeat);
    expect(stage.live.status).toBe('connected');
    stage.live.end();
  });

  it('comes back at once after an end in order, and waits longer each time for a relay that is away', async () => {
    const stage = await connected();
    stage.streams[0]?.close();
    await stage.clock.pass(400);
    expect(stage.streams).toHaveLength(2);
    await stage.say(heartbeat);
    stage.refusal = new RelayCallError('relay-unreachable');
    stage.streams[1]?.close();
    const waits: number[] = [];
    for (let ms = 0; ms < 130_000; ms += 250) {
      const before = stage.opens;
      await stage.clock.pass(250);
      if (stage.opens > before) waits.push(ms);
    }
    const gaps = waits.slice(1).map((at, i) => at - (waits[i] ?? 0));
    expect(gaps.at(-1)).toBeGreaterThanOrEqual(22_000);
    expect(gaps.at(-1)).toBeLessThanOrEqual(30_500);
    // The failure stays said while it tries, and goes with the first record.
    expect(stage.statuses.slice(-2)).toEqual(['connecting', 'relay-unreachable']);
    stage.refusal = null;
    stage.live.end();
  });

  it('is offline while the network is gone, and tries the moment it is back', async () => {
    const stage = await connected();
    stage.refusal = new RelayCallError('relay-unreachable');
    stage.setOnline(false);
    await stage.clock.pass(100_000);
    expect(stage.live.status).toBe('offline');
    stage.refusal = null;
    stage.setOnline(true);
    await settle();
    await stage.say(heartbeat);
    expect(stage.live.status).toBe('connected');
    stage.live.end();
  });

  it('waits no longer when the relay is known to be there, and asks for a stream anew that may be dead', async () => {
    const stage = await connected();
    stage.refusal = new RelayCallError('relay-unreachable');
    stage.streams[0]?.error(new Error('reset'));
    await stage.clock.pass(60_000);
    const before = stage.opens;
    stage.refusal = null;
    stage.live.renew();
    await settle();
    expect(stage.opens).toBe(before + 1);
    await stage.say(heartbeat);
    stage.live.renew();
    await settle();
    expect(stage.opens).toBe(before + 2);
    await stage.say(heartbeat);
    expect([stage.live.status, stage.ups, stage.statuses.includes('offline')]).toEqual(['connected', 3, false]);
    stage.live.end();
  });

  it('drops a stream with a length that no record has', async () => {
    const stage = await connected();
    await stage.say(Uint8Array.of(255, 255, 255, 255, 0));
    await stage.clock.pass(1_000);
    expect(stage.streams).toHaveLength(2);
    expect(stage.records).toHaveLength(1);
    stage.live.end();
  });

  it('is read by one tab; the next one takes over when that ends', async () => {
    const first = new Stage('shared');
    await settle();
    const second = new Stage('shared');
    await settle();
    expect([first.live.leads, second.live.leads, second.streams.length]).toEqual([true, false, 0]);
    first.live.end();
    await settle();
    expect([second.live.leads, second.streams.length]).toEqual([true, 1]);
    second.live.end();
  });

  it('stops for good when the session is over', async () => {
    const stage = new Stage();
    stage.refusal = new RelayCallError('session-ended');
    await stage.clock.pass(60_000);
    expect([stage.live.leads, stage.clock.waiting]).toEqual([false, 0]);
  });
});
