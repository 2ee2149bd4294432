import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ReplyEnd } from '../../../crypto/protocol/contents/request-content.ts';
import { RecordReader } from '../../../crypto/turn/reply-record.ts';
import { queueHighWater, ReplyQueue } from '../../../enclave-worker/turns/reply-queue.ts';

const end: ReplyEnd = { outcome: 'complete', code: null, usage: null, model: 'm', engine: 'rehearsal' };

type Said = { text: string; reasoning: string; end: ReplyEnd | null; contents: Uint8Array[] };

/** Takes until END is out, as the ticks do, and reads it as a device does. */
function drain(queue: ReplyQueue, capacity = 254): Said {
  const reader = new RecordReader();
  const said: Said = { text: '', reasoning: '', end: null, contents: [] };
  for (let i = 0; i < 10_000 && !queue.isDrained; i += 1) {
    const content = queue.take(capacity);
    said.contents.push(content);
    for (const piece of reader.push(content)) {
      if (piece.kind === 'text' || piece.kind === 'reasoning') said[piece.kind] += piece.text;
    }
  }
  said.end = reader.end;
  return said;
}

const pieceOf = fc.record({
  kind: fc.constantFrom('text' as const, 'reasoning' as const),
  text: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 5 })),
});

describe('ReplyQueue', () => {
  test('gives out every word in order, in contents that fit, with END behind', () => {
    fc.assert(
      fc.property(fc.array(pieceOf, { maxLength: 60 }), fc.integer({ min: 16, max: 1022 }), (pieces, capacity) => {
        const queue = new ReplyQueue();
        for (const { kind, text } of pieces) queue.push(kind, text);
        queue.finish(end);
        const said = drain(queue, capacity);
        for (const kind of ['text', 'reasoning'] as const) {
          expect(said[kind]).toBe(wordsOf(pieces, kind));
        }
        expect(said.end).toEqual(end);
        expect(Math.max(0, ...said.contents.map(({ length }) => length))).toBeLessThanOrEqual(capacity);
      }),
      { numRuns: 200 },
    );
  });

  test('fills frames whatever the tokens: a thousand letters leave as few frames as one long word', () => {
    const counts = [1, 3, 50, 1000].map((tokenLength) => {
      const queue = new ReplyQueue();
      const words = 'x'.repeat(1000);
      for (let i = 0; i < words.length; i += tokenLength) queue.push('text', words.slice(i, i + tokenLength));
      queue.finish(end);
      return drain(queue).contents.map(({ length }) => length);
    });
    expect(new Set(counts.map((lengths) => lengths.join())).size).toBe(1);
  });

  test('puts an emoji together that came in halves, even across takes', () => {
    const queue = new ReplyQueue();
    const emoji = '🤫';
    queue.push('text', `a${emoji[0]}`);
    const first = queue.take(254);
    queue.push('text', `${emoji[1]}b`);
    queue.finish(end);
    const reader = new RecordReader();
    const text = [first, queue.take(254)]
      .flatMap((content) => reader.push(content))
      .map((piece) => (piece.kind === 'text' ? piece.text : ''))
      .join('');
    expect(text).toBe('a🤫b');
  });

  test('holds the engine back above the high water, and lets it go on below', async () => {
    const queue = new ReplyQueue();
    queue.push('text', 'x'.repeat(queueHighWater - 1));
    expect(queue.room()).toBeNull();
    queue.push('text', 'xx');
    let hasRoom = false;
    const room = queue.room();
    expect(room).not.toBeNull();
    void room?.then(() => (hasRoom = true));
    await Promise.resolve();
    expect(hasRoom).toBe(false);
    queue.take(254);
    await room;
    expect(hasRoom).toBe(true);
  });

  test('finishing lets a waiting engine go, and drops text where that is asked', async () => {
    const queue = new ReplyQueue();
    queue.push('text', 'x'.repeat(2 * queueHighWater));
    const room = queue.room();
    queue.finish({ ...end, outcome: 'stopped' }, { dropText: true });
    await room;
    queue.push('text', 'too late');
    queue.finish(end);
    expect(drain(queue)).toMatchObject({ text: '', end: { outcome: 'stopped' } });
  });

  test('never cuts inside a character, since a stop may drop the rest of it', () => {
    for (let capacity = 9; capacity < 40; capacity += 1) {
      const queue = new ReplyQueue();
      queue.push('text', 'a🤫é🤫漢字🤫'.repeat(8));
      const reader = new RecordReader();
      reader.push(queue.take(capacity));
      queue.finish({ ...end, outcome: 'stopped' }, { dropText: true });
      while (!queue.isDrained) reader.push(queue.take(capacity));
      expect(reader.end?.outcome).toBe('stopped');
    }
  });

  test('carries notes where they were put, over as many frames as they take', () => {
    for (const capacity of [7, 20, 254]) {
      const queue = new ReplyQueue();
      queue.note({ kind: 'cause', cause: 'model-loading' });
      queue.push('text', 'before');
      queue.note({ kind: 'text-was-reasoning' });
      queue.push('text', 'after');
      queue.finish(end);
      const reader = new RecordReader();
      const pieces = [];
      while (!queue.isDrained) pieces.push(...reader.push(queue.take(capacity)));
      const order = pieces.map((piece) => (piece.kind === 'note' ? piece.note.kind : piece.kind));
      expect(order.filter((kind, index) => kind !== order[index - 1])).toEqual([
        'cause',
        'text',
        'text-was-reasoning',
        'text',
        'end',
      ]);
    }
  });

  test('finishes a note that is out in part, also when the rest is dropped', () => {
    for (let taken = 1; taken < 60; taken += 1) {
      const queue = new ReplyQueue();
      queue.note({ kind: 'left-out', messages: 7 });
      queue.push('text', 'dropped');
      const reader = new RecordReader();
      reader.push(queue.take(taken));
      queue.finish({ ...end, outcome: 'stopped' }, { dropText: true });
      while (!queue.isDrained) reader.push(queue.take(7));
      expect(reader.end?.outcome).toBe('stopped');
    }
  });

  test('is empty until something is said: a dummy', () => {
    const queue = new ReplyQueue();
    expect(queue.take(254)).toHaveLength(0);
    expect([queue.hasEnd, queue.isDrained]).toEqual([false, false]);
  });
});

/**
 * Gives what UTF-8 makes of the pieces of one kind: two halves of a character meet only when nothing of the other kind is
 * between.
 */
function wordsOf(pieces: readonly { kind: string; text: string }[], kind: string): string {
  let words = '';
  let run = '';
  for (const piece of pieces) {
    if (piece.kind === kind) {
      run += piece.text;
      continue;
    }
    words += run.toWellFormed();
    run = '';
  }
  return words + run.toWellFormed();
}
