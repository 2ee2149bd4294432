import type { Kysely } from 'kysely';
import { type CloseReason, closeReasonOf, closeReasons } from '../../crypto/protocol/messages/live-record.ts';
import { requestHashOf } from '../../crypto/protocol/messages/transcript-header.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { DatabaseKind } from '../storage/tables/column-types.ts';
import type { Schema } from '../storage/tables/schema.ts';
import { firstMissingFrame } from './frame-rows.ts';

export type HeaderEntry = {
  readonly turnId: Bytes;
  readonly transcriptId: Bytes;
  readonly enclaveId: string;
  /** Transcript header and request hash, as the enclave sent them. */
  readonly header: Bytes;
};

export type CloseEntry = {
  readonly turnId: Bytes;
  readonly transcriptId: Bytes;
  readonly reason: CloseReason;
  /** How many frames the enclave sent in all; counts for `final` alone. */
  readonly frames: number;
  /** The process that says so. */
  readonly owner: string;
};

/** A transcript that could not be closed, because a frame before its end is not stored. */
export type TranscriptGap = { readonly turnId: Bytes; readonly transcriptId: Bytes; readonly from: number };

/** A turn that ended meanwhile takes no transcript any more. */
export async function insertTranscript(
  trx: Kysely<Schema>,
  kind: DatabaseKind,
  entry: HeaderEntry,
  nowMs: number,
): Promise<void> {
  const turn = await trx
    .selectFrom('turns')
    .select('id')
    .where('id', '=', entry.turnId)
    .where('state', '=', 'running')
    // The end of the turn waits for this transcript, or is waited for. SQLite's transaction holds the only write lock.
    .$if(kind === 'postgres', (query) => query.forShare())
    .executeTakeFirst();
  if (turn === undefined) return;
  await trx
    .insertInto('transcripts')
    .values({
      turn_id: entry.turnId,
      transcript_id: entry.transcriptId,
      enclave_id: entry.enclaveId,
      header: entry.header,
      closed: null,
      created_at: nowMs,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * Closes a transcript. It closes as `final` when every frame of it is stored, whoever says so. For another reason it closes
 * only while the turn is its owner's, since another process may still reach what this one does not.
 *
 * @returns where a frame is missing.
 */
export async function closeTranscript(trx: Kysely<Schema>, entry: CloseEntry): Promise<TranscriptGap | null> {
  const { frames, owner, reason, transcriptId, turnId } = entry;
  const closing = trx
    .updateTable('transcripts')
    .set({ closed: closeReasons[reason] })
    .where('turn_id', '=', turnId)
    .where('transcript_id', '=', transcriptId);
  if (reason !== 'final') {
    const owned = trx.selectFrom('turns').select('id').where('id', '=', turnId).where('lease_owner', '=', owner);
    await closing
      .where('closed', 'is', null)
      .where((expression) => expression.exists(owned))
      .execute();
    return null;
  }
  if (!(await isStored(trx, entry))) return null;
  const from = await firstMissingFrame(trx, turnId, transcriptId);
  if (from < frames) return { turnId, transcriptId, from };
  await closing.execute();
  return null;
}

/** With a turn that was finished, its transcripts are gone. */
async function isStored(trx: Kysely<Schema>, { transcriptId, turnId }: CloseEntry): Promise<boolean> {
  const row = await trx
    .selectFrom('transcripts')
    .select('closed')
    .where('turn_id', '=', turnId)
    .where('transcript_id', '=', transcriptId)
    .executeTakeFirst();
  return row !== undefined;
}

/** A transcript and the first of its frames that is not stored. */
export type TranscriptCursor = {
  readonly transcriptId: Bytes;
  readonly enclaveId: string;
  readonly from: number;
  readonly closed: CloseReason | null;
  /** The hash of the request that it answers. */
  readonly requestHash: Bytes;
};

export async function loadCursors(db: Kysely<Schema>, turnId: Bytes): Promise<TranscriptCursor[]> {
  const rows = await db
    .selectFrom('transcripts')
    .select(['transcript_id', 'enclave_id', 'closed', 'header'])
    .where('turn_id', '=', turnId)
    .execute();
  return Promise.all(
    rows.map(async (row) => ({
      transcriptId: row.transcript_id,
      enclaveId: row.enclave_id,
      from: await firstMissingFrame(db, turnId, row.transcript_id),
      closed: row.closed === null ? null : closeReasonOf(row.closed),
      requestHash: requestHashOf(row.header),
    })),
  );
}

/** Deletes frames that were still on their way when the transcripts of their turns were deleted. */
export async function removeStrayFrames(trx: Kysely<Schema>, turnIds: readonly Bytes[]): Promise<void> {
  await trx
    .deleteFrom('frames')
    .where('turn_id', 'in', turnIds)
    .where((expression) =>
      expression.not(
        expression.exists(
          expression
            .selectFrom('transcripts')
            .select('transcripts.closed')
            .whereRef('transcripts.turn_id', '=', 'frames.turn_id')
            .whereRef('transcripts.transcript_id', '=', 'frames.transcript_id'),
        ),
      ),
    )
    .execute();
}
