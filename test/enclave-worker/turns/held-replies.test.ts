import { describe, expect, test } from 'vitest';
import { decodeLiveRecord, LiveRecordSplitter } from '../../../crypto/protocol/messages/live-record.ts';
import { concat, randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { HeldReplies } from '../../../enclave-worker/turns/held-replies.ts';
import { HeldReply, type ReplyReader } from '../../../enclave-worker/turns/held-reply.ts';

const frameLength = 272;

function makeReply(turnId = randomBytes(16)): HeldReply {
  return new HeldReply({
    turnId,
    transcriptId: randomBytes(16),
    requestHash: randomBytes(32),
    header: randomBytes(99),
    frameLength,
  });
}

describe('HeldReply', () => {
  test('gives back every frame from any number on, as the records that were sealed', () => {
    const reply = makeReply();
    const frames = Array.from({ length: 100 }, () => randomBytes(frameLength));
    for (const frame of frames) reply.append(frame);
    for (const from of [0, 1, 31, 32, 33, 64, 99, 100]) {
      const pieces = [];
      for (
        let cursor = from, records = reply.recordsFrom(cursor);
        records !== null;
        records = reply.recordsFrom(cursor)
      ) {
        pieces.push(records);
        cursor += reply.countOf(records);
      }
      const decoded = new LiveRecordSplitter().push(concat(...pieces)).map((record) => decodeLiveRecord(record));
      expect(decoded.map(({ number }) => number)).toEqual(Array.from({ length: 100 - from }, (_, i) => from + i));
      expect(decoded.map(({ body }) => body)).toEqual(frames.slice(from));
    }
  });

  test('bytes that were given out are not changed by what is appended later', () => {
    const reply = makeReply();
    reply.append(randomBytes(frameLength));
    const given = reply.recordsFrom(0)!;
    const before = given.slice();
    for (let i = 0; i < 40; i += 1) reply.append(randomBytes(frameLength));
    expect(given).toEqual(before);
  });
});

describe('HeldReplies', () => {
  function finished(held: HeldReplies, frames: number, atMs: number): HeldReply {
    const reply = makeReply();
    held.add(reply);
    for (let i = 0; i < frames; i += 1) held.append(reply, randomBytes(frameLength));
    held.finish(reply, atMs);
    return reply;
  }

  test('hold finished replies for their time, and running ones for as long as they run', () => {
    const held = new HeldReplies({ holdMs: 1000, maximumBytes: 1e6 });
    const [early, late] = [finished(held, 3, 0), finished(held, 3, 500)];
    const running = makeReply();
    held.add(running);
    held.append(running, randomBytes(frameLength));
    held.sweep(999);
    expect(held.find(early.turnId)).toEqual([early]);
    held.sweep(1000);
    expect([held.find(early.turnId), held.find(late.turnId)]).toEqual([[], [late]]);
    held.sweep(1e9);
    expect([held.find(late.turnId), held.find(running.turnId)]).toEqual([[], [running]]);
    expect(held.bytes).toBe(running.heldBytes);
  });

  test('let the oldest finished go when memory is short, tell its readers, and never a running one', () => {
    const slab = makeReply().slabLength;
    const held = new HeldReplies({ holdMs: 1e9, maximumBytes: 3 * slab });
    const [first, second] = [finished(held, 1, 0), finished(held, 1, 1)];
    const evicted: HeldReply[] = [];
    const reader: ReplyReader = { notice: () => {}, evict: (reply) => evicted.push(reply) };
    first.readers.add(reader);
    const running = makeReply();
    held.add(running);
    held.append(running, randomBytes(frameLength));
    expect(evicted).toEqual([]);
    for (let i = 0; i < 32; i += 1) held.append(running, randomBytes(frameLength));
    expect(evicted).toEqual([first]);
    expect([held.find(first.turnId), held.find(second.turnId)]).toEqual([[], [second]]);
    expect(held.isFull).toBe(false);
    for (let i = 0; i < 64; i += 1) held.append(running, randomBytes(frameLength));
    expect([held.find(second.turnId), held.find(running.turnId)]).toEqual([[], [running]]);
    expect(held.isFull).toBe(true);
    expect(running.frames).toBe(97);
  });

  test('keep several transcripts of one turn apart', () => {
    const held = new HeldReplies();
    const turnId = randomBytes(16);
    const [one, other] = [makeReply(turnId), makeReply(turnId)];
    held.add(one);
    held.add(other);
    expect(held.find(turnId)).toEqual([one, other]);
    expect(held.findByRequest(turnId, other.requestHash)).toBe(other);
    expect(held.findByRequest(turnId, randomBytes(32))).toBeUndefined();
  });
});
