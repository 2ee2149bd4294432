import { setImmediate } from 'node:timers/promises';
import type { Transaction } from 'kysely';
import type { EnclaveChoice } from '../../crypto/protocol/messages/enclave-messages.ts';
import type { TurnAttempt, TurnStart, TurnState } from '../../crypto/protocol/messages/turn-messages.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import type { Enclave } from '../pools/pool.ts';
import type { Clock } from '../storage/clock-watch.ts';
import { RelayError } from '../api/route/relay-error.ts';
import type { Database } from '../storage/tables/database.ts';
import type { Schema } from '../storage/tables/schema.ts';
import { parseBatch, type ParsedBatch } from '../vault/parse-batch.ts';
import { lockAccount } from '../vault/quota.ts';
import { decodeBytes } from '../api/route/wire-bytes.ts';
import { writeBatch } from '../vault/write-items.ts';
import type { ChangeFeed } from '../live/change-feed.ts';
import { chooseEnclave, type ChooseDependencies } from '../pools/choose-enclave.ts';
import type { FrameJournal } from '../frames/frame-journal.ts';
import type { FollowedTranscript } from './following/held-turn.ts';
import { isAway, type TurnHub } from './following/turn-hub.ts';
import type { TranscriptCursor } from '../frames/transcript-rows.ts';
import type { TurnLeases } from './rows/turn-leases.ts';
import { handOver, type Refusal } from './hand-over.ts';
import { readAttempt } from './turn-request.ts';
import { type Attempt, type PlacedAttempt, placeAttempt, placeTurn } from './rows/turn-rows.ts';

export type StartDependencies = ChooseDependencies & {
  readonly database: Database;
  readonly clock: Clock;
  readonly hub: TurnHub;
  readonly journal: FrameJournal;
  readonly leases: TurnLeases;
  readonly feed: ChangeFeed;
  readonly quotaBytes: number;
  stored(accountId: string, batch: ParsedBatch): void;
};

/** `changed`: the request was sealed to an enclave that is not there any more; this one is. */
export type StartedTurn =
  | { readonly kind: 'accepted'; readonly state: TurnState }
  | { readonly kind: 'changed'; readonly enclave: EnclaveChoice };

/**
 * Begins a turn: stores the items and the turn in one transaction, then hands the sealed request on. It goes to exactly the
 * enclave that it names, or to the second of two that it is sealed to. Whatever they answer, the items stay.
 *
 * @throws {RelayError} `head-conflict` and its like with nothing stored and nothing forwarded; an enclave's refusal, or
 *   that it cannot be reached, with everything stored, so that the same call may come again.
 */
export async function startTurn(
  dependencies: StartDependencies,
  accountId: string,
  start: TurnStart,
): Promise<StartedTurn> {
  const attempt = readAttempt(accountId, decodeBytes(start.turnId), start);
  const batch = start.batch === null ? null : await parseBatch(start.batch);
  // Decoding two bodies of 16 MiB is work enough for one turn of the event loop; storing one is another.
  if (batch !== null) await setImmediate();
  const nowMs = Date.now();
  const { kind, space } = dependencies.database;
  const enclave = await findFirst(dependencies, attempt);
  let isStored = false;
  const placed = await place(dependencies, attempt, async (trx) => {
    const account = await lockAccount(trx, kind, accountId);
    // Nobody knows yet how long the reply will be.
    if (account.used_bytes >= dependencies.quotaBytes) throw new RelayError('quota-exceeded');
    space.requireRoom(0);
    const times = { nowMs, latestMs: dependencies.clock.latest(nowMs) };
    const context = { kind, space, accountId, turnId: attempt.turnId, ...times, quotaBytes: dependencies.quotaBytes };
    isStored = batch !== null && (!(await writeBatch(trx, batch, context)).repeated || isStored);
    const temporary = batch === null;
    return placeTurn(trx, attempt, { temporary, lease: dependencies.leases.newLease(), nowMs });
  });
  if (batch !== null && isStored) dependencies.stored(accountId, batch);
  return forward(dependencies, { attempt, enclave, message: start }, placed);
}

/** Hands one more sealed request of a stored turn to an enclave. */
export async function attemptTurn(
  dependencies: StartDependencies,
  accountId: string,
  turnId: Bytes,
  message: TurnAttempt,
): Promise<StartedTurn> {
  const attempt = readAttempt(accountId, turnId, message);
  const enclave = await findFirst(dependencies, attempt);
  // The unwritten rest of an earlier attempt tells how far it came.
  await dependencies.journal.flush(turnId);
  const placed = await place(dependencies, attempt, async (trx) => {
    await lockAccount(trx, dependencies.database.kind, accountId);
    dependencies.database.space.requireRoom(0);
    return placeAttempt(trx, attempt, dependencies.leases.newLease(), Date.now());
  });
  return forward(dependencies, { attempt, enclave, message }, placed);
}

/** More than one only happens while the database fails for the journal and not for this call. */
const placings = 5;

/** Places a request so that no end of the turn which was said before still comes after it. */
async function place(
  { database, journal }: StartDependencies,
  { turnId }: Attempt,
  work: (trx: Transaction<Schema>) => Promise<PlacedAttempt>,
): Promise<PlacedAttempt> {
  for (let round = 0; round < placings; round++) {
    // The turn was given up a moment ago and comes again.
    if (journal.isEnding(turnId)) await journal.flush(turnId);
    const placed = await database.write(work);
    if (!journal.isEnding(turnId)) return placed;
  }
  throw new Error('The journal cannot write the end of a turn that begins again.');
}

/** Before anything is stored: once it is, nothing may keep the turn from being followed, or it would never end. */
function findFirst({ pool }: StartDependencies, { accountId, enclaveId, model }: Attempt): Promise<Enclave | null> {
  return pool.find(enclaveId, { accountId, model });
}

async function forward(
  dependencies: StartDependencies,
  { attempt, enclave, message }: { attempt: Attempt; enclave: Enclave | null; message: TurnAttempt },
  placed: PlacedAttempt,
): Promise<StartedTurn> {
  if (!placed.forward) return { kind: 'accepted', state: placed.state };
  const { accountId, turnId } = attempt;
  const isOwned = dependencies.hub.find(turnId)?.owned === true;
  const transcripts = isOwned ? [] : await findEarlier(dependencies, attempt, placed.transcripts);
  const turn = dependencies.hub.follow({ id: turnId, accountId, enclave, owned: true, transcripts });
  // Between one recipient and the other it is not over.
  turn.attempting += 1;
  let refusals: Refusal[];
  try {
    refusals = await handOver(dependencies, attempt, turn, enclave, message);
  } finally {
    turn.attempting -= 1;
  }
  const last = refusals.at(-1);
  if (last === undefined) {
    dependencies.feed.publish({ kind: 'started', accountId, turnId });
    return { kind: 'accepted', state: 'running' };
  }
  // One that did not answer may have taken it, so it is asked for until it says otherwise.
  if (!refusals.some(({ error }) => isAway(error))) dependencies.hub.settle(turn);
  // Before the client hears of it and seals again: the next attempt may come to another replica.
  await dependencies.journal.flush(turnId);
  return answerRefusal(dependencies, attempt, message, last);
}

/** Transcripts that another process, which has the turn no longer, began to write. Never throws. */
async function findEarlier(
  { pool }: StartDependencies,
  { accountId, model }: Attempt,
  cursors: readonly TranscriptCursor[],
): Promise<FollowedTranscript[]> {
  return Promise.all(
    cursors.map(async ({ closed, enclaveId, from, transcriptId: id }) => {
      const enclave = await pool.find(enclaveId, { accountId, model }).catch(() => null);
      return { id, enclave, from, closed };
    }),
  );
}

async function answerRefusal(
  dependencies: StartDependencies,
  attempt: Attempt,
  message: TurnAttempt,
  { enclave, error }: Refusal,
): Promise<StartedTurn> {
  const place = { accountId: attempt.accountId, model: attempt.model };
  const isGone = enclave === null || (await dependencies.pool.find(enclave.id, place)) === null;
  if (isGone || error.code === 'unknown-key') return chooseAnother(dependencies, attempt, message);
  const cannotNow = error.code === 'enclave-busy' || (isAway(error) && enclave.seemsAway);
  if (!cannotNow || (await dependencies.pool.choose(place)).length < 2) throw error;
  return chooseAnother(dependencies, attempt, message, enclave.id);
}

async function chooseAnother(
  dependencies: StartDependencies,
  attempt: Attempt,
  message: TurnAttempt,
  avoided: string | null = null,
): Promise<StartedTurn> {
  const { nonce, statement } = message;
  const wish = statement === undefined ? {} : { statement };
  const request = { format: 1, nonce, model: attempt.model, ...wish } as const;
  return { kind: 'changed', enclave: await chooseEnclave(dependencies, attempt.accountId, request, avoided) };
}
