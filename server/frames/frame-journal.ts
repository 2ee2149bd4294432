import { type Bytes, equalBytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { Log } from '../../process/event-log.ts';
import type { Database } from '../storage/tables/database.ts';
import type { EndedTurn } from './end-turns.ts';
import { PendingFrames, placeKey } from './pending-frames.ts';
import { idKey } from './id-keys.ts';
import type { CloseEntry, HeaderEntry, TranscriptGap } from './transcript-rows.ts';
import { type Entries, writeEntries, type WrittenEntries } from './write-entries.ts';

/** One transaction for all turns of the process together, this often. */
const flushDelayMs = 200;
/** Runs of one write: with thousands of turns the event loop would stand still for 10 ms to hand on all that is due. */
const mostRuns = 192;
/** A write that left some behind is followed by the next one so soon. */
const nextPartMs = 20;
const retryDelayMs = 1_000;
/** Frames that wait for a database that does not answer; beyond it they are asked of the enclave again. */
const maximumPendingBytes = 64 * 1024 * 1024;

/** Hears what became of an end. */
export interface JournalListener {
  /** A transcript was not closed, for want of this frame. */
  missing(gap: TranscriptGap): void;
  /** The turn's end is durable, or somebody else's to say. */
  ended(turnId: Bytes): void;
  /** The turn was not ended, for a transcript of it is open in the database. */
  open(turn: EndedTurn): void;
}

type Waiting = { headers: HeaderEntry[]; closes: CloseEntry[]; ends: EndedTurn[]; finished: Bytes[] };

function noEntries(): Waiting {
  return { headers: [], closes: [], ends: [], finished: [] };
}

/**
 * Makes what the enclaves sent durable, behind the backs of those who watch: frames are pushed to browsers at once and
 * written here together.
 */
export class FrameJournal {
  readonly #database: Database;
  readonly #log: Log;
  readonly #frames = new PendingFrames();
  #entries = noEntries();
  /** The turns that the current write ends. */
  #ending: readonly EndedTurn[] = [];
  #writing: Promise<void> | null = null;
  /** A caller who comes during a write waits for this: the end of that write, and one write more. */
  #next: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Turns whose frames the next write has to have, due or not. */
  readonly #wanted = new Set<string>();
  #isAllWanted = false;
  #failing = false;
  #isPart = false;
  #listener: JournalListener = { missing: () => undefined, ended: () => undefined, open: () => undefined };

  constructor(database: Database, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /** One for the journal's life: the hub that fills it. */
  listen(listener: JournalListener): void {
    this.#listener = listener;
  }

  /** False while the database does not keep up or has no room: a frame that is refused now must be asked for again. */
  get hasRoom(): boolean {
    return this.#frames.bytes < maximumPendingBytes && this.#database.space.hasRoomForFrames;
  }

  get isIdle(): boolean {
    const { closes, ends, finished, headers } = this.#entries;
    const waiting = closes.length + ends.length + finished.length + headers.length;
    return this.#writing === null && waiting === 0 && this.#frames.isEmpty;
  }

  addHeader(entry: HeaderEntry): void {
    this.#entries.headers.push(entry);
    this.#schedule();
  }

  /**
   * @param key - The key of turn and transcript, where it was made before.
   * @returns false when there is no room.
   */
  addFrame(
    turnId: Bytes,
    transcriptId: Bytes,
    number: number,
    frame: Uint8Array,
    key: string = placeKey(turnId, transcriptId),
  ): boolean {
    if (!this.hasRoom) return false;
    this.#frames.add({ turnId, transcriptId, key }, number, frame);
    this.#schedule();
    return true;
  }

  addClose(entry: CloseEntry): void {
    this.#frames.finish(entry.turnId, entry.transcriptId);
    this.#entries.closes.push(entry);
    this.#schedule();
  }

  addEnd(turn: EndedTurn): void {
    this.#entries.ends.push(turn);
    this.#schedule();
  }

  /** True while the end of a turn is on its way, so that it would also end what begins under its id now. */
  isEnding(turnId: Bytes): boolean {
    return [...this.#entries.ends, ...this.#ending].some((turn) => equalBytes(turn.turnId, turnId));
  }

  /** Deletes again what was still on its way when the turn's transcripts were deleted. */
  addFinished(turnId: Bytes): void {
    this.#entries.finished.push(turnId);
    this.#schedule();
  }

  /**
   * Resolves when what was added before of one turn, or of all, was tried once; it is durable unless the database fails. What
   * is gathered of other turns stays so: a row for each frame of everybody would be the price of one who reads often.
   */
  async flush(turnId: Bytes | 'all' = 'all'): Promise<void> {
    if (this.#writing === null && this.isIdle) return;
    if (turnId === 'all') this.#isAllWanted = true;
    else this.#wanted.add(idKey(turnId));
    if (this.#writing === null && this.#next === null) return this.#start();
    // All who come during a write share the one after it.
    this.#next ??= this.#flushNext();
    await this.#next;
  }

  async #flushNext(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
    this.#next = null;
    await this.#start();
  }

  /** Writes what is left; a relay that stops calls it last. */
  async close(): Promise<void> {
    await this.flush();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#timer !== null || this.#writing !== null) return;
    const delayMs = this.#failing ? retryDelayMs : this.#isPart ? nextPartMs : flushDelayMs;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      // One that is under way plans the next one at its end.
      if (this.#writing === null) void this.#start();
    }, delayMs);
  }

  #start(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#write().finally(() => {
      this.#writing = null;
      if (!this.isIdle) this.#schedule();
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    const entries = this.#entries;
    this.#entries = noEntries();
    this.#ending = entries.ends;
    // A turn that was finished: whatever frames of it are left must come before its removal.
    this.#frames.finishTurns(new Set([...this.#wanted, ...entries.finished.map(idKey)]));
    const runs = this.#isAllWanted ? this.#frames.take('all') : this.#frames.take(performance.now(), mostRuns);
    this.#isPart = !this.#isAllWanted && runs.length >= mostRuns;
    this.#isAllWanted = false;
    this.#wanted.clear();
    let written: WrittenEntries | null = null;
    try {
      written = await writeEntries(this.#database, entries, runs);
      this.#frames.release(runs);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#log.error('journal-failed', { error });
      this.#failing = true;
      // Storing twice changes nothing, so everything goes first in the next one.
      this.#frames.putBack(runs);
      for (const name of ['headers', 'closes', 'ends', 'finished'] as const) {
        this.#entries = { ...this.#entries, [name]: [...entries[name], ...this.#entries[name]] };
      }
    } finally {
      this.#ending = [];
    }
    if (written !== null) this.#tell(entries, written);
  }

  #tell({ ends }: Entries, { differing, gaps, open }: WrittenEntries): void {
    if (differing > 0) this.#log.error('frame-differs', { count: differing });
    for (const gap of gaps) this.#listener.missing(gap);
    for (const turn of ends) {
      if (open.includes(turn)) this.#listener.open(turn);
      else this.#listener.ended(turn.turnId);
    }
  }
}
