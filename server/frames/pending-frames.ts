import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import { type FrameRun, longestRun } from './frame-rows.ts';
import { idKey } from './id-keys.ts';

/**
 * How long frames of one transcript are gathered into one row. The enclave still has them, so nothing depends on it; a
 * little apart for each, so that the turns of one moment do not stay in step.
 */
const gatheringMs = { least: 700, spread: 400 };
/** A run begins with this: somewhat more than frames of the class `chat` come in that time. */
const firstCapacity = 4_096;
/**
 * Buffers that are kept for the runs to come. A run lives for a second, longer than young garbage: without them the
 * engine would search its whole heap every second, 100 ms each time with 3,000 turns.
 */
const maximumSpare = 4_096;
/** The run of a transcript of which nothing came for so long is forgotten; until then it is used again, as its buffers are. */
const forgottenMs = 30_000;
const noBytes = Buffer.alloc(0);

/** With what its body lies in. */
type ClosedRun = FrameRun & { readonly buffer: Buffer };

export type FramePlace = { readonly turnId: Bytes; readonly transcriptId: Bytes; readonly key: string };

/** Turn and transcript as one key: an enclave that is not honest may give two turns one transcript id. */
export function placeKey(turnId: Bytes, transcriptId: Bytes): string {
  return idKey(turnId) + idKey(transcriptId);
}

/**
 * The run of one transcript that grows, and after it the next. Its frames are copied: a view of a frame would keep alive the
 * whole piece of the stream that it came in, with the frames of all other turns.
 */
class OpenRun {
  readonly turnId: Bytes;
  readonly transcriptId: Bytes;
  /** When it was or is to be taken out. */
  dueAtMs = 0;
  #number = 0;
  #count = 0;
  #frameLength = 0;
  #bytes: Buffer = noBytes;

  constructor({ transcriptId, turnId }: FramePlace) {
    this.turnId = turnId;
    this.transcriptId = transcriptId;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** @param spare - A buffer that nobody else uses any more; undefined: a new one. */
  begin(number: number, frame: Uint8Array, spare: Buffer | undefined): void {
    this.dueAtMs = performance.now() + gatheringMs.least + Math.random() * gatheringMs.spread;
    this.#number = number;
    this.#frameLength = frame.length;
    this.#bytes = spare ?? Buffer.allocUnsafeSlow(firstCapacity);
    this.#append(frame);
  }

  /** @returns false when the frame does not follow the others, or there are as many as a row may have. */
  take(number: number, frame: Uint8Array): boolean {
    const follows = frame.length === this.#frameLength && number === this.#number + this.#count;
    if (!follows || this.#count === longestRun) return false;
    this.#append(frame);
    return true;
  }

  /** Gives its frames and their buffer away. */
  close(): ClosedRun {
    const { turnId, transcriptId } = this;
    const [number, count] = [this.#number, this.#count];
    const buffer = this.#bytes;
    this.#count = 0;
    this.#bytes = noBytes;
    return { turnId, transcriptId, number, count, body: buffer.subarray(0, count * this.#frameLength), buffer };
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

/** Frames on their way into the database, run by run. */
export class PendingFrames {
  readonly #runs = new Map<string, OpenRun>();
  /** Runs that hold frames. */
  #open = 0;
  #closed: ClosedRun[] = [];
  #bytes = 0;
  readonly #spare: Buffer[] = [];

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#open === 0 && this.#closed.length === 0;
  }

  add(place: FramePlace, number: number, frame: Uint8Array): void {
    this.#bytes += frame.length;
    let run = this.#runs.get(place.key);
    if (run === undefined) {
      run = new OpenRun(place);
      this.#runs.set(place.key, run);
    }
    if (!run.isEmpty) {
      if (run.take(number, frame)) return;
      this.#close(run);
    }
    run.begin(number, frame, this.#spare.pop());
    this.#open += 1;
  }

  /** Ends the run of a transcript that will not get more. */
  finish(turnId: Bytes, transcriptId: Bytes): void {
    const key = placeKey(turnId, transcriptId);
    const run = this.#runs.get(key);
    if (run === undefined) return;
    this.#runs.delete(key);
    if (!run.isEmpty) this.#close(run);
  }

  /** Ends the runs of these turns, so that the next `take` has them. */
  finishTurns(turnKeys: ReadonlySet<string>): void {
    if (turnKeys.size === 0) return;
    for (const run of this.#runs.values()) {
      if (!run.isEmpty && turnKeys.has(idKey(run.turnId))) this.#close(run);
    }
  }

  /** Takes out what is due, and of it so many at most beside those that are closed; or everything. */
  take(nowMs: number | 'all', most = Infinity): ClosedRun[] {
    for (const [key, run] of this.#runs) {
      if (this.#closed.length >= most) break;
      if (run.isEmpty) {
        if (nowMs !== 'all' && nowMs - run.dueAtMs > forgottenMs) this.#runs.delete(key);
      } else if (nowMs === 'all' || run.dueAtMs <= nowMs) this.#close(run);
    }
    const taken = this.#closed;
    this.#closed = [];
    for (const run of taken) this.#bytes -= run.body.length;
    return taken;
  }

  #close(run: OpenRun): void {
    this.#open -= 1;
    this.#closed.push(run.close());
  }

  /** Runs are stored, and nobody reads their bodies any more. */
  release(runs: readonly ClosedRun[]): void {
    for (const { buffer } of runs) {
      if (this.#spare.length >= maximumSpare) return;
      if (buffer.length === firstCapacity) this.#spare.push(buffer);
    }
  }

  /** Puts runs back that could not be stored. */
  putBack(runs: readonly ClosedRun[]): void {
    for (const run of runs) this.#bytes += run.body.length;
    this.#closed.push(...runs);
  }
}
