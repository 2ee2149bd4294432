import { closeReasonOf, closeReasons, encodeLiveRecord } from '../../crypto/protocol/messages/live-record.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { Database } from '../storage/tables/database.ts';
import { asBytes } from '../api/route/wire-bytes.ts';
import { cutFrames, longestRun } from './frame-rows.ts';

/** About 300 KB, so that one long transcript does not hold up the others. */
const rowsPerRead = 100;

export type FramesQuery = {
  readonly turnId: Bytes;
  /** -1 is from the header on. */
  readonly after: number;
  /** Null: every transcript of the turn. */
  readonly transcriptId: Bytes | null;
};

/**
 * Reads what is stored of a turn as the live records that it arrived in. Each transcript has its header, its frames and, once
 * nothing more comes, why. Behind a frame that is missing nothing is read: it comes, or the transcript is cut off there.
 */
export async function* readFrames(database: Database, query: FramesQuery): AsyncGenerator<Bytes> {
  const { turnId, transcriptId } = query;
  const transcripts = await database.db
    .selectFrom('transcripts')
    .select(['transcript_id', 'header', 'closed'])
    .where('turn_id', '=', turnId)
    .$if(transcriptId !== null, (select) => select.where('transcript_id', '=', transcriptId ?? new Uint8Array()))
    .orderBy('created_at')
    .orderBy('transcript_id')
    .execute();
  for (const transcript of transcripts) {
    const ids = { turnId, transcriptId: transcript.transcript_id };
    if (query.after < 0) yield encodeLiveRecord({ kind: 'header', ...ids, body: transcript.header });
    let next = Math.max(0, query.after + 1);
    let isWhole = true;
    for (;;) {
      const rows = await readRuns(database, ids, next);
      const frames: { readonly number: number; readonly frame: Uint8Array }[] = [];
      for (const row of rows) {
        isWhole &&= row.number <= next;
        if (!isWhole) break;
        frames.push(...cutFrames(row, next));
        next = Math.max(next, row.number + row.count);
      }
      if (frames.length > 0) yield joinFrames(ids, frames);
      if (rows.length < rowsPerRead || !isWhole) break;
    }
    const reason = transcript.closed === null ? null : closeReasonOf(transcript.closed);
    if (reason === null) continue;
    // Closed as whole by a version that did not look.
    const body = Uint8Array.of(closeReasons[isWhole ? reason : 'lost']);
    yield encodeLiveRecord({ kind: 'closed', ...ids, number: next, body });
  }
}

type Ids = { readonly turnId: Bytes; readonly transcriptId: Bytes };

function readRuns(database: Database, ids: Ids, from: number) {
  return database.db
    .selectFrom('frames')
    .select(['number', 'count', 'body'])
    .where('turn_id', '=', ids.turnId)
    .where('transcript_id', '=', ids.transcriptId)
    .where('number', '>=', from - longestRun)
    .where((row) => row(row('number', '+', row.ref('count')), '>', from))
    .orderBy('number')
    .limit(rowsPerRead)
    .execute();
}

function joinFrames(ids: Ids, frames: readonly { readonly number: number; readonly frame: Uint8Array }[]): Bytes {
  const records = frames.map(({ number, frame }) =>
    encodeLiveRecord({ kind: 'frame', ...ids, number, body: frame as Bytes }),
  );
  return asBytes(Buffer.concat(records));
}
