import { type Bytes, equalBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Log } from '../../../process/event-log.ts';
import type { Enclave, Pool } from '../../pools/pool.ts';
import type { Database } from '../../storage/tables/database.ts';
import type { TurnTable } from '../../storage/tables/schema.ts';
import type { FollowedTranscript, FollowedTurn, HeldTurn } from './held-turn.ts';
import { idKey } from '../../frames/id-keys.ts';
import { loadCursors } from '../../frames/transcript-rows.ts';
import type { TurnHub } from './turn-hub.ts';
import { claimedAtOnce, type TurnLeases } from '../rows/turn-leases.ts';
import { loadTurn } from '../rows/turn-rows.ts';
import { enclavesOf } from './watched-turns.ts';

export type ResumeDependencies = {
  readonly database: Database;
  readonly pool: Pool;
  readonly hub: TurnHub;
  readonly leases: TurnLeases;
  readonly log: Log;
};

/** More than one account's browser could watch at once. */
const followedAtOnce = 200;
/** Rows whose transcripts are looked up side by side. */
const loadedAtOnce = 8;

/**
 * Takes over running turns that no process writes any more and picks up each transcript at its first missing frame.
 *
 * @returns how many there were.
 */
export async function resumeTurns(dependencies: ResumeDependencies): Promise<number> {
  const { database, leases, log } = dependencies;
  let count = 0;
  for (;;) {
    const turns = await leases.claim(database.db);
    await followTurns(dependencies, turns, true);
    count += turns.length;
    if (turns.length < claimedAtOnce) break;
  }
  if (count > 0) log.info('turns-resumed', { count });
  return count;
}

/**
 * Follows an account's running turns for a browser that is connected here while another process writes them.
 */
export async function followForBrowser(
  dependencies: ResumeDependencies,
  accountId: string,
  turnId?: Bytes,
): Promise<void> {
  const running = await dependencies.database.db
    .selectFrom('turns')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('state', '=', 'running')
    .$if(turnId !== undefined, (query) => query.where('id', '=', turnId ?? new Uint8Array()))
    .orderBy('started_at', 'desc')
    .limit(followedAtOnce)
    .execute();
  // One that this process writes is in the hub, or was until its last frame came.
  const elsewhere = running.filter(
    (turn) => turn.lease_owner !== dependencies.leases.owner && dependencies.hub.find(turn.id) === undefined,
  );
  await followTurns(dependencies, elsewhere, false);
}

/** Drops what was followed for browsers of an account that has none here any more. */
export function stopFollowing(hub: TurnHub, accountId: string): void {
  for (const turn of hub.turns) if (!turn.owned && turn.accountId === accountId) hub.forget(turn);
}

/**
 * Renews this process's leases and lets go of turns that ended, or were taken over, elsewhere.
 *
 * @returns those that it let go of.
 */
export async function renewLeases(dependencies: ResumeDependencies): Promise<readonly HeldTurn[]> {
  // Alone, nobody else could have them.
  if (dependencies.leases.isAlone) return [];
  const before = [...dependencies.hub.turns].filter((turn) => turn.owned);
  if (before.length === 0) return [];
  const kept = new Set((await dependencies.leases.renew(dependencies.database.db)).map(idKey));
  const gone = before.filter((turn) => !kept.has(turn.key));
  for (const turn of gone) dependencies.hub.finish(turn.accountId, [turn.id]);
  return gone;
}

async function followTurns(
  dependencies: ResumeDependencies,
  turns: readonly TurnTable[],
  owned: boolean,
): Promise<void> {
  const asked = new Map<Enclave, HeldTurn[]>();
  for (let start = 0; start < turns.length; start += loadedAtOnce) {
    const followed = turns.slice(start, start + loadedAtOnce).map((row) => followTurn(dependencies, row, owned));
    for (const turn of await Promise.all(followed)) {
      for (const enclave of enclavesOf(turn)) asked.set(enclave, [...(asked.get(enclave) ?? []), turn]);
    }
  }
  for (const [enclave, held] of asked) dependencies.hub.watch(enclave, held);
}

async function followTurn(dependencies: ResumeDependencies, row: TurnTable, owned: boolean): Promise<HeldTurn> {
  const { hub, pool } = dependencies;
  const enclave = await pool.find(row.enclave_id, { accountId: row.account_id, model: row.model });
  const { awaited, transcripts } = await loadFollowed(dependencies, row);
  const turn = hub.follow({ id: row.id, accountId: row.account_id, enclave, owned, transcripts, awaited });
  // Stopped between the last frame and the turn's own row.
  if (transcripts.some((transcript) => transcript.closed === 'final')) hub.settle(turn);
  return turn;
}

/** Loads what the database knows of a turn's transcripts, and the requests that none of them answers. */
async function loadFollowed(
  { database, pool }: Pick<ResumeDependencies, 'database' | 'pool'>,
  row: TurnTable,
): Promise<Pick<FollowedTurn, 'transcripts' | 'awaited'>> {
  const place = { accountId: row.account_id, model: row.model };
  const transcripts: FollowedTranscript[] = [];
  const answered: Bytes[] = [];
  for (const { closed, enclaveId, from, requestHash, transcriptId } of await loadCursors(database.db, row.id)) {
    transcripts.push({ id: transcriptId, enclave: await pool.find(enclaveId, place), from, closed });
    answered.push(requestHash);
  }
  const attempts = await database.db
    .selectFrom('turn_attempts')
    .select('request_hash')
    .where('turn_id', '=', row.id)
    .execute();
  const hashes = attempts.map((attempt) => attempt.request_hash);
  return { transcripts, awaited: hashes.filter((hash) => !answered.some((other) => equalBytes(other, hash))) };
}

/** Looks at a turn of this process again whose end the database refused: what is open there is followed. */
export async function followAgain(dependencies: ResumeDependencies, turnId: Bytes): Promise<void> {
  const { database, hub, leases } = dependencies;
  const held = hub.find(turnId);
  if (held !== undefined) held.ending = false;
  const row = await loadTurn(database.db, turnId);
  if (row?.state === 'running' && row.lease_owner === leases.owner) await followTurns(dependencies, [row], true);
}
