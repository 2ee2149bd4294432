import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { Database } from '../storage/tables/database.ts';
import { type EndedTurn, endTurns } from './end-turns.ts';
import { type FrameRun, storeFrames } from './frame-rows.ts';
import {
  type CloseEntry,
  closeTranscript,
  type HeaderEntry,
  insertTranscript,
  removeStrayFrames,
  type TranscriptGap,
} from './transcript-rows.ts';

/** One write of the journal makes these durable beside frames. */
export type Entries = {
  readonly headers: readonly HeaderEntry[];
  readonly closes: readonly CloseEntry[];
  readonly ends: readonly EndedTurn[];
  readonly finished: readonly Bytes[];
};

export type WrittenEntries = {
  /** Runs that stand where others were stored with other bytes. */
  readonly differing: number;
  readonly gaps: readonly TranscriptGap[];
  /** Turns that are not over, though their process said so. */
  readonly open: readonly EndedTurn[];
};

/** Writes everything in this order: a close must find the frames before it, and an end the closes. Twice changes nothing. */
export async function writeEntries(
  database: Database,
  { closes, ends, finished, headers }: Entries,
  runs: readonly FrameRun[],
): Promise<WrittenEntries> {
  const { kind } = database;
  let differing = 0;
  let gaps: TranscriptGap[] = [];
  if (runs.length + headers.length + closes.length + finished.length > 0) {
    ({ differing, gaps } = await database.writeAside(async (trx) => {
      for (const header of headers) await insertTranscript(trx, kind, header, Date.now());
      const count = await storeFrames(trx, kind, runs);
      const missing = [];
      for (const close of closes) missing.push(await closeTranscript(trx, close));
      if (finished.length > 0) await removeStrayFrames(trx, finished);
      return { differing: count, gaps: missing.filter((gap) => gap !== null) };
    }));
  }
  // Apart, since it locks accounts, which every writer takes first.
  const open = ends.length === 0 ? [] : await database.writeAside((trx) => endTurns(trx, kind, ends));
  return { differing, gaps, open };
}
