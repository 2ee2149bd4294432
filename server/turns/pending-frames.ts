import type { Bytes } from '../../crypto/primitives/bytes.ts';
import { type FrameRun, longestRun } from './frame-rows.ts';
import { idKey } from './record-view.ts';

/**
 * How long frames of one transcript are gathered into one row. The enclave still has them, so nothing depends on it; a
 * little apart for each, so that the turns of one moment do not stay in step.
 */
const gatheringMs = { least: 700, spread: 400 };
/** What a run begins with: somewhat more than frames of the class `chat` come in that time. */
const firstCapacity = 4_096;
/**
 * Buffers that are kept for the runs to come. A run lives for a second, longer than young garbage: without them the
 * engine would search its whole heap every second, 100 ms each time with 3,000 turns.
 */
const maximumSpare = 4_096;

/**
 * One run that grows. Its frames are copied: a view of a frame would keep alive the whole piece of the stream that it came
 * in, with the frames of all other turns.
 */
class OpenRun {
  readonly turnId: Bytes;
  readonly transcriptId: Bytes;
  readonly number: number;
  readonly dueAtMs: number;
  readonly #frameLength: number;
  #bytes: Buffer;
  #count = 0;

  /** @param spare - A buffer that nobody else uses any more; undefined: a new one. */
  constructor(
    turnId: Bytes,
    transcriptId: Bytes,
    number: number,
    frame: Uint8Array,
    nowMs: number,
    spare: Buffer | undefined,
  ) {
    this.turnId = turnId;
    this.transcriptId = transcriptId;
    this.number = number;
    this.dueAtMs = nowMs + gatheringMs.least + Math.random() * gatheringMs.spread;
    this.#frameLength = frame.length;
    this.#bytes = spare ?? Buffer.allocUnsafeSlow(firstCapacity);
    this.#append(frame);
  }

  /** @returns false when the frame does not follow the others, or there are as many as a row may have. */
  take(number: number, frame: Uint8Array): boolean {
    const follows = frame.length === this.#frameLength && number === this.number + this.#count;
    if (!follows || this.#count === longestRun) return false;
    this.#append(frame);
    return true;
  }

  close(): FrameRun {
    const { turnId, transcriptId, number } = this;
    const body = this.#bytes.subarray(0, this.#count * this.#frameLength);
    return { turnId, transcriptId, number, count: this.#count, body };
  }

  #append(frame: Uint8Array): void {
    const start = this.#count * this.#frameLength;
    if (start + frame.length > this.#bytes.length) {
      const longer = Buffer.allocUnsafeSlow(Math.ceil((start + frame.length) * 1.5));
      this.#bytes.copy(longer, 0, 0, start);
      this.#bytes = longer;
    }
    this.#bytes.set(frame, start);
    this.#count += 1;
  }
}

export type FramePlace = { readonly turnId: Bytes; readonly transcriptId: Bytes; readonly place: string };

/** Turn and transcript as one key: an enclave that is not honest may give two turns one transcript id. */
export function placeOf(turnId: Bytes, transcriptId: Bytes): string {
  return idKey(turnId) + idKey(transcriptId);
}

/** Frames on their way into the database, run by run. */
export class PendingFrames {
  readonly #open = new Map<string, OpenRun>();
  #closed: FrameRun[] = [];
  #bytes = 0;
  readonly #spare: Buffer[] = [];

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#open.size === 0 && this.#closed.length === 0;
  }

  add({ place, transcriptId, turnId }: FramePlace, number: number, frame: Uint8Array): void {
    this.#bytes += frame.length;
    const run = this.#open.get(place);
    if (run?.take(number, frame) === true) return;
    if (run !== undefined) this.#closed.push(run.close());
    this.#open.set(place, new OpenRun(turnId, transcriptId, number, frame, performance.now(), this.#spare.pop()));
  }

  /** Ends the run of a transcript that will not get more. */
  finish(turnId: Bytes, transcriptId: Bytes): void {
    const place = placeOf(turnId, transcriptId);
    const run = this.#open.get(place);
    if (run === undefined) return;
    this.#open.delete(place);
    this.#closed.push(run.close());
  }

  /** Takes out what is due, and of it so many at most beside those that are closed; or everything. */
  take(nowMs: number | 'all', most = Infinity): FrameRun[] {
    const taken = this.#closed;
    this.#closed = [];
    for (const [place, run] of this.#open) {
      if (taken.length >= most) break;
      if (nowMs !== 'all' && run.dueAtMs > nowMs) continue;
      this.#open.delete(place);
      taken.push(run.close());
    }
    for (const run of taken) this.#bytes -= run.body.length;
    return taken;
  }

  /** Runs are stored, and nobody reads their bodies any more. */
  release(runs: readonly FrameRun[]): void {
    for (const { body } of runs) {
      if (this.#spare.length >= maximumSpare) return;
      if (body.buffer.byteLength === firstCapacity) this.#spare.push(Buffer.from(body.buffer));
    }
  }

  /** Puts runs back that could not be stored. */
  putBack(runs: readonly FrameRun[]): void {
    for (const run of runs) this.#bytes += run.body.length;
    this.#closed.push(...runs);
  }
}
