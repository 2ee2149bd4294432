import type { Kysely } from 'kysely';
import type { TurnState } from '../../../crypto/protocol/messages/turn-messages.ts';
import { requestHashOf } from '../../../crypto/protocol/messages/transcript-header.ts';
import { type Bytes, equalBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import type { Schema, TurnTable } from '../../storage/tables/schema.ts';
import { changeUsedBytes } from '../../vault/quota.ts';
import { requirePlace } from './requests-under-way.ts';
import { loadCursors, type TranscriptCursor } from '../../frames/transcript-rows.ts';

/** One sealed request on its way, as the relay can know it. */
export type Attempt = {
  readonly turnId: Bytes;
  readonly accountId: string;
  readonly enclaveId: string;
  /** Sealed to as well. */
  readonly alternateEnclaveId: string | null;
  readonly model: string;
  /** SHA-256 over header and body: tells the same request again from another one. */
  readonly requestHash: Bytes;
  readonly requestLength: number;
};

export type Lease = { readonly owner: string; readonly untilMs: number };

/** A turn may have this many transcripts. */
const maximumAttempts = 16;

export type PlacedAttempt = {
  /** False for a request whose transcript is already here. */
  readonly forward: boolean;
  readonly state: TurnState;
  /** The transcripts of the turn's earlier requests; the process that forwards this one writes them from now on. */
  readonly transcripts: readonly TranscriptCursor[];
};

/**
 * Makes the row of a new turn, for an account that is locked, or finds that this very request began it before.
 *
 * @throws {RelayError} `turn-conflict` for another request, or somebody else's turn, under this id; `too-many-requests`
 *   when the account has as many under way as it may.
 */
export async function placeTurn(
  trx: Kysely<Schema>,
  attempt: Attempt,
  start: { readonly temporary: boolean; readonly lease: Lease; readonly nowMs: number },
): Promise<PlacedAttempt> {
  const stored = await loadTurn(trx, attempt.turnId);
  if (stored !== undefined) {
    if (stored.account_id !== attempt.accountId) throw new RelayError('turn-conflict');
    const repeated = await findAttempt(trx, attempt);
    if (repeated === null) throw new RelayError('turn-conflict');
    return repeated.taken ? known(stored.state) : reviveTurn(trx, stored, start.lease);
  }
  await requirePlace(trx, attempt.accountId, attempt.turnId);
  const inserted = await trx
    .insertInto('turns')
    .values({
      id: attempt.turnId,
      account_id: attempt.accountId,
      state: 'running',
      enclave_id: attempt.enclaveId,
      model: attempt.model,
      started_at: start.nowMs,
      ended_at: null,
      attempts: 1,
      request_length: attempt.requestLength,
      stops: 0,
      stored_bytes: 0,
      temporary: start.temporary ? 1 : 0,
      lease_owner: start.lease.owner,
      lease_until: start.lease.untilMs,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  // Another account drew the same id in this very moment: no accident.
  if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) throw new RelayError('turn-conflict');
  await insertAttempt(trx, attempt, 1, start.nowMs);
  return { forward: true, state: 'running', transcripts: [] };
}

/**
 * Notes one more sealed request for a turn of this account, which is locked.
 *
 * @throws {RelayError} `not-found`; `turn-conflict` when the turn is over or had too many; `too-many-requests` when the
 *   account has as many under way as it may.
 */
export async function placeAttempt(
  trx: Kysely<Schema>,
  attempt: Attempt,
  lease: Lease,
  nowMs: number,
): Promise<PlacedAttempt> {
  const stored = await loadTurn(trx, attempt.turnId);
  if (stored === undefined || stored.account_id !== attempt.accountId) throw new RelayError('not-found');
  const repeated = await findAttempt(trx, attempt);
  if (repeated?.taken === true) return known(stored.state);
  if (repeated === null) {
    if (stored.state === 'ended' || stored.attempts >= maximumAttempts) throw new RelayError('turn-conflict');
    await insertAttempt(trx, attempt, stored.attempts + 1, nowMs);
    await trx
      .updateTable('turns')
      .set({
        attempts: stored.attempts + 1,
        enclave_id: attempt.enclaveId,
        model: attempt.model,
        request_length: attempt.requestLength,
      })
      .where('id', '=', attempt.turnId)
      .execute();
  }
  return reviveTurn(trx, stored, lease);
}

function known(state: string): PlacedAttempt {
  return { forward: false, state: parseState(state), transcripts: [] };
}

/** A request that no transcript answers yet is handed on (again), even if the turn had been given up. */
async function reviveTurn(trx: Kysely<Schema>, turn: TurnTable, lease: Lease): Promise<PlacedAttempt> {
  if (turn.state === 'ended') return known('ended');
  await requirePlace(trx, turn.account_id, turn.id);
  await trx
    .updateTable('turns')
    .set({ state: 'running', ended_at: null, stored_bytes: 0, lease_owner: lease.owner, lease_until: lease.untilMs })
    .where('id', '=', turn.id)
    .execute();
  await changeUsedBytes(trx, turn.account_id, -turn.stored_bytes);
  return { forward: true, state: 'running', transcripts: await loadCursors(trx, turn.id) };
}

/** Notes that the newest request went to its other recipient. */
export async function moveTurn(db: Kysely<Schema>, turnId: Bytes, enclaveId: string): Promise<void> {
  await db.updateTable('turns').set({ enclave_id: enclaveId }).where('id', '=', turnId).execute();
}

export function loadTurn(db: Kysely<Schema>, turnId: Bytes): Promise<TurnTable | undefined> {
  return db.selectFrom('turns').selectAll().where('id', '=', turnId).executeTakeFirst();
}

/** @throws {RelayError} `not-found` also for another account's turn. */
export async function requireTurn(db: Kysely<Schema>, accountId: string, turnId: Bytes): Promise<TurnTable> {
  const turn = await loadTurn(db, turnId);
  if (turn === undefined || turn.account_id !== accountId) throw new RelayError('not-found');
  return turn;
}

/** @returns null when this request is new; `taken` once the transcript that answers it is stored. */
async function findAttempt(trx: Kysely<Schema>, attempt: Attempt): Promise<{ readonly taken: boolean } | null> {
  const row = await trx
    .selectFrom('turn_attempts')
    .select('number')
    .where('turn_id', '=', attempt.turnId)
    .where('request_hash', '=', attempt.requestHash)
    .executeTakeFirst();
  if (row === undefined) return null;
  const transcripts = await trx
    .selectFrom('transcripts')
    .select('header')
    .where('turn_id', '=', attempt.turnId)
    .execute();
  return { taken: transcripts.some(({ header }) => equalBytes(requestHashOf(header), attempt.requestHash)) };
}

async function insertAttempt(trx: Kysely<Schema>, attempt: Attempt, number: number, nowMs: number): Promise<void> {
  await trx
    .insertInto('turn_attempts')
    .values({
      turn_id: attempt.turnId,
      number,
      enclave_id: attempt.enclaveId,
      alternate_enclave_id: attempt.alternateEnclaveId,
      request_hash: attempt.requestHash,
      started_at: nowMs,
    })
    .execute();
}

export function parseState(state: string): TurnState {
  if (state === 'running' || state === 'ended' || state === 'lost') return state;
  throw new Error('A turn row has a state that no version wrote.');
}
