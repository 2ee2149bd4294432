import type { Bytes } from '../../crypto/primitives/bytes.ts';
import { type FrameRun, longestRun } from './frame-rows.ts';
import { idKey } from './record-view.ts';

/**
 * How long frames of one transcript are gathered into one row. The enclave still has them, so nothing depends on it; a
 * little apart for each, so that the turns of one moment do not stay in step.
 */
const gatheringMs = { least: 700, spread: 400 };

type Run = Omit<FrameRun, 'frames'> & { readonly frames: Uint8Array[]; readonly dueAtMs: number };

/** Frames on their way into the database, run by run. */
export class PendingFrames {
  readonly #open = new Map<string, Run>();
  #closed: Run[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#open.size === 0 && this.#closed.length === 0;
  }

  add(turnId: Bytes, transcriptId: Bytes, number: number, frame: Uint8Array, nowMs: number): void {
    this.#bytes += frame.length;
    const key = idKey(turnId) + idKey(transcriptId);
    const run = this.#open.get(key);
    const follows = run?.frames[0]?.length === frame.length && run.number + run.frames.length === number;
    if (run !== undefined && follows && run.frames.length < longestRun) {
      run.frames.push(frame);
      return;
    }
    if (run !== undefined) this.#closed.push(run);
    const dueAtMs = nowMs + gatheringMs.least + Math.random() * gatheringMs.spread;
    this.#open.set(key, { turnId, transcriptId, number, frames: [frame], dueAtMs });
  }

  /** Ends the run of a transcript that will not get more. */
  finish(turnId: Bytes, transcriptId: Bytes): void {
    const key = idKey(turnId) + idKey(transcriptId);
    const run = this.#open.get(key);
    if (run === undefined) return;
    this.#open.delete(key);
    this.#closed.push(run);
  }

  /** Takes out what is due, or everything. */
  take(nowMs: number | 'all'): FrameRun[] {
    const taken = this.#closed;
    this.#closed = [];
    for (const [key, run] of this.#open) {
      if (nowMs !== 'all' && run.dueAtMs > nowMs) continue;
      this.#open.delete(key);
      taken.push(run);
    }
    for (const run of taken) for (const frame of run.frames) this.#bytes -= frame.length;
    return taken;
  }

  /** Puts runs back that could not be stored. */
  putBack(runs: readonly FrameRun[]): void {
    for (const run of runs) {
      for (const frame of run.frames) this.#bytes += frame.length;
      this.#closed.push({ ...run, frames: [...run.frames], dueAtMs: 0 });
    }
  }
}
