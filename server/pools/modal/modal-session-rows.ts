import { createHash, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { EnclaveSessionTable, Schema } from '../../storage/tables/schema.ts';
import type { Place } from '../pool.ts';

/** Renewed three times within its length while a start goes on. */
export const startLeaseMs = 15_000;
/** Between the failing of a start and the beginning of the next, doubled from one to the next. */
const firstRetryMs = 4_000;
const longestRetryMs = 120_000;
/** A longer delay was written by a clock that is far ahead, and would last until then. */
const longestWaitMs = 600_000;

/** The rows of one front door. Every change is one statement that says what it expects to find. */
export class ModalSessionRows {
  readonly owner = randomUUID();
  readonly #db: Kysely<Schema>;
  readonly #pool: string;
  readonly #proxyToken: string;

  /**
   * @param door - Another token is another front door: what is stored under one is of no use with another.
   */
  constructor(db: Kysely<Schema>, door: { readonly url: string; readonly proxyToken: string }) {
    this.#db = db;
    this.#proxyToken = door.proxyToken;
    const named = createHash('sha256').update(`sotto/v1/front-door ${door.url} ${door.proxyToken}`);
    this.#pool = named.digest('base64url').slice(0, 16);
  }

  /** Names the front door in rows. */
  get pool(): string {
    return this.#pool;
  }

  /** The session token of a row: hidden there under a mask that the database alone does not give. */
  tokenOf({ id, session_token: hidden }: EnclaveSessionTable): string {
    return this.#mask(id, Buffer.from(hidden ?? '', 'base64url')).toString('latin1');
  }

  /** The session of a place, starting or live. */
  findCurrent(place: Place): Promise<EnclaveSessionTable | undefined> {
    return this.#ofAccount(place.accountId)
      .where('model', '=', place.model)
      .where('state', '<>', 'leaving')
      .executeTakeFirst();
  }

  /** Every session of the account that serves now, the most recently used first. */
  findLive(accountId: string): Promise<EnclaveSessionTable[]> {
    return this.#ofAccount(accountId).where('state', '=', 'live').orderBy('used_at', 'desc').execute();
  }

  /** One that serves, or served until it was left for another; null when it is over. */
  async findById(id: string, accountId: string): Promise<EnclaveSessionTable | null> {
    const row = await this.#ofAccount(accountId).where('id', '=', id).executeTakeFirst();
    return row === undefined || row.session_token === null ? null : row;
  }

  /** True if it is of this front door, which alone may be told to end it. */
  isOurs(row: EnclaveSessionTable): boolean {
    return row.pool === this.#pool;
  }

  /** True if a start is under way that somebody works on. */
  isStarting({ lease_until: untilMs, state }: EnclaveSessionTable, nowMs: number): boolean {
    return state === 'starting' && untilMs !== null && untilMs >= nowMs && untilMs <= nowMs + longestWaitMs;
  }

  /** How long the next try of a start that failed is put off; 0 when it may begin. */
  waitMs({ retry_at: retryAtMs }: EnclaveSessionTable, nowMs: number): number {
    return retryAtMs > nowMs + longestWaitMs ? 0 : Math.max(0, retryAtMs - nowMs);
  }

  async countOfAccount(accountId: string): Promise<number> {
    return (await this.#ofAccount(accountId).select('id').execute()).length;
  }

  /** Takes the right to start a session for a place. @returns null when somebody else has it. */
  async claimNew(place: Place, nowMs: number): Promise<EnclaveSessionTable | null> {
    const row: EnclaveSessionTable = {
      id: randomBytes(12).toString('base64url'),
      account_id: place.accountId,
      pool: this.#pool,
      model: place.model,
      state: 'starting',
      session_token: null,
      start_key: randomUUID(),
      started_at: nowMs,
      used_at: nowMs,
      lease_owner: this.owner,
      lease_until: nowMs + startLeaseMs,
      failures: 0,
      retry_at: 0,
    };
    const inserted = await this.#db
      .insertInto('enclave_sessions')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    return inserted ?? null;
  }

  /**
   * Goes on with a start whose process is gone, with the same key; after one that failed, with a new one.
   *
   * @returns null when somebody else was quicker.
   */
  async claimAbandoned(row: EnclaveSessionTable, nowMs: number): Promise<EnclaveSessionTable | null> {
    const hasFailed = row.retry_at > 0;
    const again = hasFailed ? { start_key: randomUUID(), started_at: nowMs, retry_at: 0 } : {};
    const claimed = await this.#db
      .updateTable('enclave_sessions')
      .set({ ...again, lease_owner: this.owner, lease_until: nowMs + startLeaseMs, used_at: nowMs })
      .where('id', '=', row.id)
      .where('state', '=', 'starting')
      .where('start_key', '=', row.start_key)
      .where((expression) =>
        expression.or([
          expression('lease_until', 'is', null),
          expression('lease_until', '<', nowMs),
          expression('lease_until', '>', nowMs + longestWaitMs),
        ]),
      )
      .returningAll()
      .executeTakeFirst();
    return claimed ?? null;
  }

  /** @returns false when the start was taken over or given up. */
  async renewStart(id: string, nowMs: number): Promise<boolean> {
    const renewed = await this.#ownStart(id)
      .set({ lease_until: nowMs + startLeaseMs, used_at: nowMs })
      .executeTakeFirst();
    return Number(renewed.numUpdatedRows) > 0;
  }

  /** @returns false when this process may not say so any more. */
  async finishStart(id: string, sessionToken: string, nowMs: number): Promise<boolean> {
    const hidden = this.#mask(id, Buffer.from(sessionToken, 'latin1')).toString('base64url');
    const live = { state: 'live', session_token: hidden, used_at: nowMs, failures: 0, retry_at: 0 };
    const finished = await this.#ownStart(id)
      .set({ ...live, lease_owner: null, lease_until: null })
      .executeTakeFirst();
    return Number(finished.numUpdatedRows) > 0;
  }

  async failStart(row: EnclaveSessionTable, nowMs: number): Promise<void> {
    const waitMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(row.failures, 10));
    await this.#ownStart(row.id)
      .set({ failures: row.failures + 1, retry_at: nowMs + waitMs, lease_owner: null, lease_until: null })
      .execute();
  }

  /** Lets another process go on at once. */
  async releaseStart(id: string): Promise<void> {
    await this.#ownStart(id).set({ lease_owner: null, lease_until: null }).execute();
  }

  async touch(ids: readonly string[], nowMs: number): Promise<void> {
    if (ids.length === 0) return;
    await this.#db.updateTable('enclave_sessions').set({ used_at: nowMs }).where('id', 'in', ids).execute();
  }

  /** Takes nothing more; what runs there goes on. */
  async leave(id: string): Promise<void> {
    await this.#db
      .updateTable('enclave_sessions')
      .set({ state: 'leaving' })
      .where('id', '=', id)
      .where('state', '=', 'live')
      .execute();
  }

  /** @returns whether this call deleted it, and so has to end the session. */
  async forget(id: string): Promise<boolean> {
    const deleted = await this.#db.deleteFrom('enclave_sessions').where('id', '=', id).executeTakeFirst();
    return Number(deleted.numDeletedRows) > 0;
  }

  /** Sessions that were not used for a time, those of all front doors. */
  findIdle(beforeMs: number): Promise<EnclaveSessionTable[]> {
    return this.#db.selectFrom('enclave_sessions').selectAll().where('used_at', '<', beforeMs).limit(500).execute();
  }

  /** Sessions of accounts that are signed in nowhere any more and have no turn running there. */
  findDeserted(nowMs: number): Promise<EnclaveSessionTable[]> {
    return this.#db
      .selectFrom('enclave_sessions')
      .selectAll()
      .where('pool', '=', this.#pool)
      .where('state', '<>', 'starting')
      .where((expression) =>
        expression.not(
          expression.exists(
            expression
              .selectFrom('sessions')
              .select(sql.lit(1).as('one'))
              .whereRef('sessions.account_id', '=', 'enclave_sessions.account_id')
              .where('sessions.expires_at', '>', nowMs),
          ),
        ),
      )
      .where((expression) =>
        expression.not(
          expression.exists(
            expression
              .selectFrom('turns')
              .select(sql.lit(1).as('one'))
              .whereRef('turns.enclave_id', '=', 'enclave_sessions.id')
              .where('turns.state', '=', 'running'),
          ),
        ),
      )
      .limit(500)
      .execute();
  }

  /** An id has one token in its life, so no mask is used twice. */
  #mask(id: string, token: Buffer): Buffer {
    if (token.length === 0) return token;
    const mask = new Uint8Array(hkdfSync('sha256', this.#proxyToken, id, 'sotto/v1/session-token', token.length));
    return Buffer.from(token.map((byte, index) => byte ^ (mask[index] ?? 0)));
  }

  #ofAccount(accountId: string) {
    return this.#db
      .selectFrom('enclave_sessions')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('pool', '=', this.#pool);
  }

  #ownStart(id: string) {
    return this.#db
      .updateTable('enclave_sessions')
      .where('id', '=', id)
      .where('state', '=', 'starting')
      .where('lease_owner', '=', this.owner);
  }
}
