import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type BodyPieces, watchPieces } from '../../../process/http/node-parser.ts';

/** Chunks that a call may send, with one more for each so many bytes. A chunk costs as much time as a kilobyte does. */
const usual = { free: 256, bytesPerChunk: 256 } as const;
/** The same while chunks of many connections fill a turn of the event loop. */
const tight = { free: 32, bytesPerChunk: 1_024 } as const;
/** About 20 ms of work. */
const chunksPerTurn = 2_000;

const flooding = new WeakSet<IncomingMessage>();
const flooded = Symbol('flooded');

/** True once a body was given up: nothing more of it is read, and it never ends. */
export function isFlood(request: IncomingMessage): boolean {
  return flooding.has(request);
}

/** @returns how to hear no more of it. */
export function onFlood(request: IncomingMessage, listener: () => void): () => void {
  request.once(flooded, listener);
  return () => void request.off(flooded, listener);
}

/** Bounds the chunks of each call, and those of all connections in a turn of the event loop. Where Node is otherwise, `countPieces` is left. */
export class TinyChunks {
  #inTurn = 0;

  /** @param onEnd - Told when a body of this connection is given up: no call may follow it there. */
  watch(socket: Socket, onEnd: () => void): void {
    watchPieces(socket, {
      isTooMany: (call, pieces) => {
        if (call.headers['transfer-encoding'] === undefined) return false;
        this.#count();
        return isTooMany(usual, pieces) || (this.#inTurn > chunksPerTurn && isTooMany(tight, pieces));
      },
      onFlood: (call) => {
        flooding.add(call);
        onEnd();
        call.emit(flooded);
      },
    });
  }

  #count(): void {
    if (this.#inTurn === 0) setImmediate(() => (this.#inTurn = 0));
    this.#inTurn += 1;
  }
}

function isTooMany({ bytesPerChunk, free }: typeof usual | typeof tight, { count, length }: BodyPieces): boolean {
  return count > free + length / bytesPerChunk;
}
