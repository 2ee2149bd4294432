import { describe, expect, it } from 'vitest';
import { RelayWatch, watchedFetch } from '../../../../../client/vault/relay/connection/relay-watch.ts';
import { ManualClock, settle } from '../../../../parts/machine/clocks/manual-clock.ts';

/** A watch over a relay that the test plays: alive, frozen (says nothing) or gone (refuses at once). */
class Stage {
  readonly clock = new ManualClock();
  readonly said: (readonly [boolean, number])[] = [];
  probes = 0;
  relay: 'alive' | 'frozen' | 'gone' = 'alive';
  /** How long a sign of life is on its way, there and back. */
  roundTripMs = 0;
  backs = 0;
  readonly #beganMs = this.clock.monotonicMs();
  readonly #held: (() => void)[] = [];
  readonly watch: RelayWatch;

  constructor() {
    this.watch = new RelayWatch({
      clock: this.clock,
      random: () => 0.5,
      probe: (signal) => this.#probe(signal),
      onSilent: (isSilent) => this.said.push([isSilent, this.nowMs]),
    });
    this.watch.onBack(() => (this.backs += 1));
  }

  get nowMs(): number {
    return this.clock.monotonicMs() - this.#beganMs;
  }

  /** A frozen process answers, when it goes on, what it was asked. */
  async thaw(): Promise<void> {
    this.relay = 'alive';
    for (const answer of this.#held.splice(0)) answer();
    await settle();
  }

  #probe(signal: AbortSignal): Promise<void> {
    this.probes += 1;
    if (this.relay === 'gone') return Promise.reject(new Error('refused'));
    if (this.relay === 'alive') {
      if (this.roundTripMs === 0) return Promise.resolve();
      return new Promise((resolve) => this.clock.after(this.roundTripMs, resolve));
    }
    return new Promise((resolve, reject) => {
      this.#held.push(resolve);
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
  }
}

describe('RelayWatch', () => {
  it('says within 2 s that a relay is frozen on which somebody waits, and the moment that it goes on', async () => {
    const stage = new Stage();
    stage.watch.begin()(true);
    stage.relay = 'frozen';
    stage.watch.begin();
    await stage.clock.pass(2_000);
    expect(stage.said).toEqual([[true, 1_800]]);
    await stage.clock.pass(60_000);
    expect(stage.said).toHaveLength(1);
    await stage.thaw();
    expect(stage.said.at(-1)?.[0]).toBe(false);
    expect(stage.backs).toBe(1);
    stage.watch.end();
  });

  it.each([1_000, 1_500, 2_500])(
    'never says of a link of %i ms there and back that the relay is away',
    async (roundTripMs) => {
      const stage = new Stage();
      stage.roundTripMs = roundTripMs;
      for (let call = 0; call < 20; call++) {
        const over = stage.watch.begin();
        await stage.clock.pass(roundTripMs);
        over(true);
        await stage.clock.pass(call * 300);
      }
      expect(stage.said).toEqual([]);
      // And says it all the same once it is.
      stage.relay = 'frozen';
      stage.watch.begin();
      await stage.clock.pass(8_000);
      expect(stage.said.map(([isSilent]) => isSilent)).toEqual([true]);
      stage.watch.end();
    },
  );

  it('learns by one false alarm that a link became slow', async () => {
    const stage = new Stage();
    stage.watch.begin()(true);
    stage.roundTripMs = 2_500;
    for (let call = 0; call < 10; call++) {
      const over = stage.watch.begin();
      await stage.clock.pass(2_500);
      over(true);
      await stage.clock.pass(2_500);
    }
    expect(stage.said.filter(([isSilent]) => isSilent).length).toBeLessThanOrEqual(1);
    stage.watch.end();
  });

  it('says within 2 s that a relay stands still, however often it did before', async () => {
    const stage = new Stage();
    stage.watch.begin()(true);
    for (let time = 0; time < 5; time++) {
      const before = stage.said.length;
      stage.relay = 'frozen';
      const over = stage.watch.begin();
      await stage.clock.pass(2_000);
      expect(
        stage.said.slice(before).map(([isSilent]) => isSilent),
        `time ${time}`,
      ).toEqual([true]);
      await stage.clock.pass(5_000);
      await stage.thaw();
      over(true);
      // It works as quickly as ever in between.
      stage.watch.begin()(true);
      await stage.clock.pass(10_000);
    }
    stage.watch.end();
  });

  it('hears what was waited for before the sign of life that was asked for', async () => {
    const stage = new Stage();
    stage.watch.begin()(true);
    stage.relay = 'frozen';
    const over = stage.watch.begin();
    await stage.clock.pass(1_500);
    over(true);
    await stage.clock.pass(2_000);
    expect(stage.said).toEqual([]);
    stage.watch.end();
  });

  it('says at once that a relay is gone, asks again every second or so while somebody looks, seldom while nobody does', async () => {
    const stage = new Stage();
    stage.relay = 'gone';
    stage.watch.begin()(false);
    await settle();
    expect(stage.said).toEqual([[true, 0]]);
    await stage.clock.pass(12_000);
    expect(stage.probes).toBeGreaterThanOrEqual(9);
    expect(stage.probes).toBeLessThanOrEqual(14);
    stage.watch.look(false);
    await stage.clock.pass(60_000);
    const seen = stage.probes;
    await stage.clock.pass(60_000);
    expect(stage.probes - seen).toBeLessThanOrEqual(5);
    // It is there again: within 2 s for whoever looks.
    stage.relay = 'alive';
    stage.watch.look(true);
    await stage.clock.pass(1);
    expect(stage.said.at(-1)?.[0]).toBe(false);
    stage.watch.end();
  });

  it('tells a relay that is there nothing of somebody who looks', async () => {
    const stage = new Stage();
    for (const isSeen of [true, false, true, true]) {
      stage.watch.look(isSeen);
      await stage.clock.pass(60_000);
    }
    expect([stage.probes, stage.said]).toEqual([0, []]);
    stage.relay = 'gone';
    stage.watch.ask();
    await settle();
    expect([stage.probes, stage.said.length]).toEqual([1, 1]);
    stage.watch.end();
  });

  it('goes on within 2 s of the end of an outage', async () => {
    const stage = new Stage();
    stage.relay = 'gone';
    stage.watch.begin()(false);
    await stage.clock.pass(30_400);
    stage.relay = 'alive';
    const atMs = stage.nowMs;
    await stage.clock.pass(2_000);
    expect(stage.said.at(-1)?.[0]).toBe(false);
    expect((stage.said.at(-1)?.[1] ?? 0) - atMs).toBeLessThanOrEqual(2_000);
    stage.watch.end();
  });

  it('asks nothing while nobody waits', async () => {
    const stage = new Stage();
    stage.watch.begin()(true);
    stage.watch.heard();
    await stage.clock.pass(3_600_000);
    expect([stage.probes, stage.said, stage.clock.waiting]).toEqual([0, [], 0]);
  });

  it('leaves a relay that is there and takes its time in peace', async () => {
    const stage = new Stage();
    const over = stage.watch.begin();
    await stage.clock.pass(60_000);
    expect(stage.probes).toBeLessThanOrEqual(8);
    expect(stage.said).toEqual([]);
    over(true);
    stage.watch.end();
  });

  it('an answer that is being written is a wait, and each of its frames a sign of life', async () => {
    const stage = new Stage();
    stage.watch.expect(true);
    for (let frame = 0; frame < 100; frame++) {
      await stage.clock.pass(100);
      stage.watch.heard();
    }
    expect(stage.probes).toBe(0);
    stage.watch.begin()(true);
    stage.relay = 'frozen';
    await stage.clock.pass(2_000);
    expect(stage.said).toHaveLength(1);
    await stage.thaw();
    stage.watch.expect(false);
    await stage.clock.pass(60_000);
    expect(stage.said.map(([isSilent]) => isSilent)).toEqual([true, false]);
    expect(stage.clock.waiting).toBe(0);
  });

  it('an answer of a proxy for a relay that it does not reach is no sign of life', async () => {
    for (const [status, type, isSilent] of [
      [502, 'text/html', true],
      [500, 'text/html', true],
      [522, 'text/plain', true],
      [500, 'application/json', false],
      [503, 'application/json', false],
      [404, 'text/html', false],
      [200, 'application/octet-stream', false],
    ] as const) {
      const stage = new Stage();
      stage.relay = 'gone';
      const answer = new Response('', { status, headers: { 'content-type': type } });
      await watchedFetch(() => Promise.resolve(answer), stage.watch)('/v1/account');
      await settle();
      expect(stage.watch.isSilent, `${status} ${type}`).toBe(isSilent);
      stage.watch.end();
    }
  });
});
