import { type Kysely, sql } from 'kysely';
import type { TurnRecord } from '../../../crypto/protocol/messages/turn-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Schema } from '../../storage/tables/schema.ts';
import { decodeBytes, encodeBytes } from '../../api/route/wire-bytes.ts';
import { parseState } from './turn-rows.ts';

export type TurnsQuery = { readonly afterMs: number; readonly afterId?: string | undefined; readonly limit: number };
export type TurnsPage = { readonly format: 1; readonly turns: readonly TurnRecord[]; readonly more: boolean };

/** The account's turns that began after a place, oldest first: all that the relay holds besides the frames. */
export async function listTurns(trx: Kysely<Schema>, accountId: string, query: TurnsQuery): Promise<TurnsPage> {
  const { afterMs, afterId, limit } = query;
  const rows = await trx
    .selectFrom('turns')
    .selectAll()
    .where('account_id', '=', accountId)
    .where((turn) => {
      const later = turn('started_at', '>', afterMs);
      if (afterId === undefined) return later;
      return turn.or([later, turn.and([turn('started_at', '=', afterMs), turn('id', '>', decodeBytes(afterId))])]);
    })
    .orderBy('started_at')
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const page = rows.slice(0, limit);
  const transcripts = await loadTranscripts(
    trx,
    page.map((row) => row.id),
  );
  const turns = page.map((row): TurnRecord => ({
    turnId: encodeBytes(row.id),
    state: parseState(row.state),
    startedAtMs: row.started_at,
    endedAtMs: row.ended_at,
    attempts: row.attempts,
    requestLength: row.request_length,
    stops: row.stops,
    transcripts: transcripts.get(encodeBytes(row.id)) ?? [],
  }));
  return { format: 1, turns, more: rows.length > limit };
}

async function loadTranscripts(
  trx: Kysely<Schema>,
  turnIds: readonly Bytes[],
): Promise<Map<string, TurnRecord['transcripts']>> {
  const byTurn = new Map<string, TurnRecord['transcripts']>();
  if (turnIds.length === 0) return byTurn;
  const counts = await trx
    .selectFrom('frames')
    .select(({ fn }) => ['turn_id', 'transcript_id', fn.max<number>(sql`number + count`).as('frames')])
    .where('turn_id', 'in', turnIds)
    .groupBy(['turn_id', 'transcript_id'])
    .execute();
  const keyOf = (row: { turn_id: Bytes; transcript_id: Bytes }) =>
    `${encodeBytes(row.turn_id)} ${encodeBytes(row.transcript_id)}`;
  const framesByKey = new Map(counts.map((row) => [keyOf(row), Number(row.frames)]));
  const rows = await trx
    .selectFrom('transcripts')
    .select(['turn_id', 'transcript_id', 'header'])
    .where('turn_id', 'in', turnIds)
    .orderBy('created_at')
    .orderBy('transcript_id')
    .execute();
  for (const row of rows) {
    const turnId = encodeBytes(row.turn_id);
    const transcript = { header: encodeBytes(row.header), frames: framesByKey.get(keyOf(row)) ?? 0 };
    byTurn.set(turnId, [...(byTurn.get(turnId) ?? []), transcript]);
  }
  return byTurn;
}
