import { describe, expect, test } from 'vitest';
import { FramePacer, type Paced } from '../../../enclave-worker/turns/frame-pacer.ts';
import { ManualClock } from '../../parts/machine/clocks/manual-clock.ts';

class Counted implements Paced {
  readonly ticks: number[] = [];
  readonly #clock: ManualClock;
  readonly #last: number;

  constructor(clock: ManualClock, last = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#last = last;
  }

  tick(): boolean {
    this.ticks.push(this.#clock.nowMs);
    return this.ticks.length < this.#last;
  }
}

describe('FramePacer', () => {
  test('ticks every 100 ms from within a tick of the beginning, on a schedule that does not drift', () => {
    const clock = new ManualClock();
    const pacer = new FramePacer(() => {}, clock);
    const turn = new Counted(clock);
    pacer.add(turn);
    const beganMs = clock.nowMs;
    clock.advance(100_000, 3.7);
    expect(turn.ticks).toHaveLength(1000);
    expect(turn.ticks[0]).toBeLessThanOrEqual(beganMs + 100);
    const phases = new Set(turn.ticks.map((atMs) => Math.round((atMs - 3.7) % 100)));
    expect(phases.size).toBe(1);
  });

  test('spreads a thousand turns over the tick, with one timer for all', () => {
    const clock = new ManualClock();
    const perSlot: number[] = [];
    let ticks = 0;
    const pacer = new FramePacer(() => {
      perSlot.push(ticks);
      ticks = 0;
    }, clock);
    for (let i = 0; i < 1000; i += 1) {
      pacer.add({
        tick: () => {
          ticks += 1;
          return true;
        },
      });
    }
    expect(clock.waiting).toBe(1);
    clock.advance(1_000);
    expect(new Set(perSlot)).toEqual(new Set([50]));
    expect(perSlot).toHaveLength(200);
    expect(clock.waiting).toBe(1);
  });

  test('sends a first frame about half a tick after the beginning, not always at the same moment', () => {
    const waits: number[] = [];
    for (let i = 0; i < 100; i += 1) {
      const clock = new ManualClock();
      const pacer = new FramePacer(
        () => {},
        clock,
        () => i / 100,
      );
      const turn = new Counted(clock);
      const from = clock.nowMs;
      pacer.add(turn);
      clock.advance(100);
      waits.push((turn.ticks[0] ?? Number.POSITIVE_INFINITY) - from);
    }
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(25);
    expect(Math.max(...waits)).toBeLessThanOrEqual(80);
    const median = waits.toSorted((a, b) => a - b)[50]!;
    expect(median).toBeGreaterThanOrEqual(45);
    expect(median).toBeLessThanOrEqual(60);
    expect(new Set(waits).size).toBe(10);
  });

  test('sends what was due after the process stood still, so that the count depends on the time alone', () => {
    const clock = new ManualClock();
    const pacer = new FramePacer(() => {}, clock);
    const turn = new Counted(clock);
    pacer.add(turn);
    clock.advance(1_000);
    const before = turn.ticks.length;
    clock.freeze(730);
    clock.advance(270);
    expect(turn.ticks.length - before).toBe(10);
  });

  test('begins a new schedule after a long sleep instead of a flood', () => {
    const clock = new ManualClock();
    const pacer = new FramePacer(() => {}, clock);
    const turn = new Counted(clock);
    pacer.add(turn);
    clock.advance(1_000);
    const before = turn.ticks.length;
    clock.freeze(3_600_000);
    clock.advance(100);
    expect(turn.ticks.length - before).toBeLessThanOrEqual(51);
    expect(turn.ticks.length - before).toBeGreaterThanOrEqual(50);
  });

  test('lets go of a turn after its last tick, and of its timer when nothing is left', () => {
    const clock = new ManualClock();
    const pacer = new FramePacer(() => {}, clock);
    const [short, long] = [new Counted(clock, 3), new Counted(clock, 8)];
    pacer.add(short);
    pacer.add(long);
    clock.advance(500);
    expect([short.ticks.length, pacer.size]).toEqual([3, 1]);
    clock.advance(500);
    expect([long.ticks.length, pacer.size, clock.waiting]).toEqual([8, 0, 0]);
    pacer.add(new Counted(clock));
    expect(clock.waiting).toBe(1);
    pacer.stop();
    expect([pacer.size, clock.waiting]).toEqual([0, 0]);
  });
});
