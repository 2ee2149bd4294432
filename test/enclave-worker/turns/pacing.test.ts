import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { sealedFrameLength } from '../../../crypto/turn/reply-frame.ts';
import { ReplySealer } from '../../../crypto/turn/reply-sealer.ts';
import { FramePacer } from '../../../enclave-worker/turns/frame-pacer.ts';
import { HeldReply } from '../../../enclave-worker/turns/held-reply.ts';
import { queueHighWater } from '../../../enclave-worker/turns/reply-queue.ts';
import { RunningTurn } from '../../../enclave-worker/turns/running-turn.ts';
import { sampleContent, sampleReplyContext } from '../../crypto/turn/sample-turn.ts';
import { ManualClock } from '../../parts/machine/clocks/manual-clock.ts';
import { ScriptedEngine } from '../../parts/worker/scripted-engine.ts';

beforeAll(aeadReady);

type Token = { readonly text: string; readonly afterMs: number };

/** Records what somebody on the wire sees of a turn: when frames came and how long they were. */
async function watchWire(tokens: readonly Token[], durationMs: number) {
  const clock = new ManualClock();
  // Where a turn begins within the tick is left to chance; here it is the same place.
  const pacer = new FramePacer(
    () => {},
    clock,
    () => 0,
  );
  const context = sampleReplyContext();
  const sealer = new ReplySealer(context);
  const reply = new HeldReply({
    turnId: randomBytes(16),
    transcriptId: sealer.transcriptId,
    requestHash: randomBytes(32),
    header: sealer.header,
    frameLength: sealedFrameLength('chat'),
  });
  const seen: { atMs: number; length: number }[] = [];
  let read = 0;
  const engine = new ScriptedEngine(async function* say() {
    for (const { text, afterMs } of tokens) {
      if (afterMs > 0) await clock.sleep(afterMs);
      read += 1;
      yield { kind: 'text', text };
    }
  });
  const turn = new RunningTurn({
    reply,
    sealer,
    stopToken: randomBytes(32),
    engine,
    sink: {
      onFrame: (frame) => {
        seen.push({ atMs: clock.nowMs, length: frame.length });
        reply.append(frame);
      },
      onFinal: () => {},
    },
  });
  pacer.add(turn);
  void turn.run(sampleContent());
  await clock.pass(durationMs);
  return { seen, turn, read: () => read, clock };
}

describe('the wire', () => {
  test('looks the same whatever the tokens are and whenever they come', async () => {
    const silent = await watchWire([{ text: '', afterMs: 0 }], 4_000);
    expect(silent.seen).toHaveLength(32);
    expect(new Set(silent.seen.map(({ length }) => length))).toEqual(new Set([272]));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ text: fc.string({ unit: 'grapheme', maxLength: 30 }), afterMs: fc.nat(120) }), {
          maxLength: 20,
        }),
        async (tokens) => {
          const { seen } = await watchWire(tokens, 4_000);
          expect(seen).toEqual(silent.seen);
        },
      ),
      { numRuns: 15 },
    );
  });

  test('tells of a longer answer only the rung: 33 frames of text and 60 look alike', async () => {
    const lengthOf = async (characters: number) =>
      (await watchWire([{ text: 'x'.repeat(characters), afterMs: 0 }], 14_000)).seen.length;
    expect(await lengthOf(33 * 249)).toBe(64);
    expect(await lengthOf(60 * 249)).toBe(64);
    expect(await lengthOf(29 * 249)).toBe(32);
    expect(await lengthOf(65 * 249)).toBe(128);
  });

  test('goes on at its pace while the engine hangs', async () => {
    const { seen, turn } = await watchWire([{ text: 'a', afterMs: 1e9 }], 10_000);
    expect(seen).toHaveLength(100);
    turn.stop();
  });
});

describe('an engine that is faster than the pace', () => {
  test('is read only as far as the queue goes, and again as the frames take it away', async () => {
    const piece = 'x'.repeat(1024);
    const tokens = Array.from({ length: 200 }, () => ({ text: piece, afterMs: 0 }));
    const { read, clock } = await watchWire(tokens, 200);
    const first = read();
    expect(first).toBeGreaterThanOrEqual(queueHighWater / 1024);
    expect(first).toBeLessThan(queueHighWater / 1024 + 5);
    await clock.pass(4_000);
    // 40 frames of 249 bytes are nearly ten pieces.
    expect(read() - first).toBeGreaterThanOrEqual(8);
    expect(read() - first).toBeLessThanOrEqual(11);
  });
});

describe('a reply', () => {
  test('ends as "length" when it is longer than an item can hold', async () => {
    const { turn, clock } = await watchWire([{ text: 'x'.repeat(2_000_001), afterMs: 0 }], 100);
    expect(turn.hasEnd).toBe(true);
    turn.discard();
    expect(clock.waiting).toBeGreaterThan(0);
  });
});
