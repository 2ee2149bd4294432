import type { ServerResponse } from 'node:http';
import { encodeLiveRecord } from '../../crypto/protocol/messages/live-record.ts';
import { concat } from '../../crypto/protocol/bytes/bytes.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { HeldReply, ReplyReader } from './held-reply.ts';

/** The most bytes written at a time; the rest stays where it is held until the socket has taken these. */
const batchLength = 64 * 1024;
/** A socket that takes nothing for so long belongs to nobody any more. */
const stalledAfterMs = 60_000;

const heartbeat = encodeLiveRecord({ kind: 'heartbeat' });

/**
 * One relay's live response (SPEC.md §10). Each reply that it reads has a cursor. A socket that does not keep up is skipped and
 * catches up from the held frames, so that nothing piles up for it here.
 */
export class LiveStream implements ReplyReader {
  readonly id: Bytes;
  readonly #response: ServerResponse;
  /** Number of the next frame; -1 until the header record is out. */
  readonly #cursors = new Map<HeldReply, number>();
  readonly #from = new Map<HeldReply, number>();
  #fresh = new Set<HeldReply>();
  #blockedSinceMs: number | null = null;

  constructor(id: Bytes, response: ServerResponse) {
    this.id = id;
    this.#response = response;
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    response.on('drain', () => {
      this.#blockedSinceMs = null;
      this.flush();
    });
    response.write(encodeLiveRecord({ kind: 'stream', body: id }));
  }

  /** Turns that are read here. */
  get size(): number {
    return this.#cursors.size;
  }

  /** Reads a reply from a frame on, its header first; a second call for the same reply begins again. */
  watch(reply: HeldReply, from: number): void {
    this.#cursors.set(reply, -1);
    this.#from.set(reply, from);
    reply.readers.add(this);
    this.#fresh.add(reply);
  }

  notice(reply: HeldReply): void {
    this.#fresh.add(reply);
  }

  evict(reply: HeldReply): void {
    this.#forget(reply);
    this.send(reply.closedRecord('gone'));
  }

  /** A record that belongs to no held reply. */
  send(record: Bytes): void {
    if (!this.#response.destroyed) this.#response.write(record);
  }

  /** Something every few seconds, and the end of a response that nobody takes from. */
  beat(nowMs: number): void {
    if (!this.#response.writableNeedDrain) {
      this.send(heartbeat);
      return;
    }
    this.#blockedSinceMs ??= nowMs;
    if (nowMs - this.#blockedSinceMs >= stalledAfterMs) this.#response.destroy();
  }

  /** Writes what is new, in one piece where the socket takes it. */
  flush(): void {
    while (this.#fresh.size > 0 && !this.#response.writableNeedDrain && !this.#response.destroyed) {
      const batch = this.#collect();
      if (batch.length === 0) return;
      this.#response.write(batch.length === 1 && batch[0] !== undefined ? batch[0] : concat(...batch));
    }
  }

  /** The connection is gone: nothing is stopped by that. */
  close(): void {
    for (const reply of this.#cursors.keys()) reply.readers.delete(this);
    this.#cursors.clear();
    this.#from.clear();
    this.#fresh.clear();
  }

  end(): void {
    this.close();
    this.#response.end();
  }

  #collect(): Bytes[] {
    const batch: Bytes[] = [];
    let length = 0;
    const add = (record: Bytes) => {
      batch.push(record);
      length += record.length;
    };
    for (const reply of this.#fresh) {
      // A reply that is not reached now comes first next time: none waits behind a long one for ever.
      if (length >= batchLength) break;
      this.#fresh.delete(reply);
      let cursor = this.#cursors.get(reply);
      if (cursor === undefined) continue;
      if (cursor === -1) {
        add(reply.headerRecord);
        cursor = this.#from.get(reply) ?? 0;
      }
      const records = reply.recordsFrom(cursor);
      if (records !== null) {
        add(records);
        cursor += reply.countOf(records);
      }
      this.#cursors.set(reply, cursor);
      if (cursor < reply.frames) {
        this.#fresh.add(reply);
      } else if (reply.finishedAtMs !== null) {
        add(reply.closedRecord('final'));
        this.#forget(reply);
      }
    }
    return batch;
  }

  #forget(reply: HeldReply): void {
    reply.readers.delete(this);
    this.#cursors.delete(reply);
    this.#from.delete(reply);
    this.#fresh.delete(reply);
  }
}
