import { randomBytes } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import * as v from 'valibot';
import type { SessionAnswer } from '../../../crypto/protocol/messages/account-messages.ts';
import { idField } from '../../../crypto/protocol/messages/fields.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Clock } from '../../storage/clock-watch.ts';
import { RelayError } from '../../api/route/relay-error.ts';
import type { Database } from '../../storage/tables/database.ts';
import type { Schema, SessionTable } from '../../storage/tables/schema.ts';
import { decodeBytes, encodeBytes } from '../../api/route/wire-bytes.ts';
import { isGenuine, makeRefreshToken, parseRefreshToken } from './refresh-token.ts';
import type { ServerKeys } from '../keys/server-keys.ts';
import type { TokenSigner } from './signed-token.ts';

export const accessLifetimeMs = 5 * 60_000;
/** A session that is not used for as long ends. */
export const sessionLifetimeMs = 30 * 24 * 3_600_000;
/** How long the predecessor of a refresh token that nobody has used yet is still taken. */
const graceMs = 60_000;
const maximumSessions = 100;
/** A session that another replica ended is noticed within this time. */
const checkedForMs = 2_000;

const accessClaims = v.object({ sub: v.pipe(v.string(), v.maxLength(64)), sid: idField });

export type SessionDependencies = {
  readonly database: Database;
  readonly keys: ServerKeys;
  readonly signer: TokenSigner;
  readonly clock: Clock;
  /** Told of every session that ends, so that its live responses end too. */
  readonly onEnded: (sessionId: string) => void;
};

/** `atMs`: when it was found alive. */
type Known = { readonly accountId: string; readonly atMs: number };
export type StartedSession = { readonly answer: SessionAnswer; readonly refreshToken: string };

/** Sessions: made, proven by short tokens, renewed by a rotating one, ended for good. */
export class Sessions {
  readonly #dependencies: SessionDependencies;
  /** Sessions found alive a moment ago. */
  readonly #known = new Map<string, Known>();

  constructor(dependencies: SessionDependencies) {
    this.#dependencies = dependencies;
  }

  /** Adds a session's row; the least recently used one beyond the maximum ends. */
  async create(trx: Transaction<Schema>, accountId: string, nowMs: number): Promise<SessionTable> {
    const session: SessionTable = {
      id: new Uint8Array(randomBytes(16)),
      account_id: accountId,
      token_seed: new Uint8Array(randomBytes(32)),
      generation: 1,
      rotated_at: nowMs,
      created_at: nowMs,
      refreshed_at: nowMs,
      expires_at: this.#expiryOf(nowMs),
    };
    await trx.insertInto('sessions').values(session).execute();
    const tooMany = await trx
      .selectFrom('sessions')
      .select('id')
      .where('account_id', '=', accountId)
      .orderBy('refreshed_at', 'desc')
      .orderBy('created_at', 'desc')
      .limit(maximumSessions)
      .offset(maximumSessions)
      .execute();
    for (const { id } of tooMany) await this.#delete(trx, id);
    return session;
  }

  /** The tokens of a session whose row is committed. */
  async start(session: SessionTable, nowMs: number): Promise<StartedSession> {
    return {
      answer: await this.answer(encodeBytes(session.id), session.account_id, nowMs),
      refreshToken: makeRefreshToken(this.#dependencies.keys, session, session.generation),
    };
  }

  async answer(sessionId: string, accountId: string, nowMs: number): Promise<SessionAnswer> {
    const accessToken = await this.#dependencies.signer.sign(
      'access',
      { sub: accountId, sid: sessionId },
      nowMs,
      accessLifetimeMs,
    );
    return { format: 1, sessionId, accessToken, lifetimeMs: accessLifetimeMs };
  }

  /** @throws {RelayError} `not-signed-in` for a token that is none, `session-ended` for one whose session is over. */
  async authenticate(accessToken: string, nowMs: number): Promise<{ accountId: string; sessionId: string }> {
    const claims = await this.#dependencies.signer.verify('access', accessToken, accessClaims, nowMs);
    if (claims === null) throw new RelayError('not-signed-in');
    const { sub: accountId, sid: sessionId } = claims;
    const known = this.#known.get(sessionId);
    // Also when the clock was set back since.
    const isFresh = known !== undefined && Math.abs(nowMs - known.atMs) < checkedForMs;
    if (!isFresh || known.accountId !== accountId) {
      await this.#check(sessionId, accountId, nowMs);
    }
    return { accountId, sessionId };
  }

  /**
   * Rotates: the answer carries the next refresh token. The predecessor gets that same next token again until it has been
   * used, a minute at most; after that somebody else has a copy, and the session ends.
   *
   * @throws {RelayError} `session-ended`.
   */
  async refresh(text: string, nowMs: number): Promise<StartedSession> {
    const token = parseRefreshToken(text);
    if (token === null) throw new RelayError('session-ended');
    const outcome = await this.#dependencies.database.write((trx) => this.#rotate(trx, token, nowMs));
    if (outcome === 'reused') this.#forget(token.sessionId);
    if (typeof outcome === 'string') throw new RelayError('session-ended');
    return this.start(outcome, nowMs);
  }

  /** Ends one session of this account; another account's id, or one that is gone, ends nothing. */
  async end(accountId: string, sessionId: Bytes): Promise<void> {
    const ended = await this.#dependencies.database.db
      .deleteFrom('sessions')
      .where('id', '=', sessionId)
      .where('account_id', '=', accountId)
      .returning('id')
      .execute();
    this.forget(ended.map(({ id }) => id));
  }

  /** Ends all sessions of an account but one. @returns those ended, for `forget` once it is committed. */
  async endOthers(trx: Transaction<Schema>, accountId: string, kept: Bytes): Promise<readonly Bytes[]> {
    const ended = await trx
      .deleteFrom('sessions')
      .where('account_id', '=', accountId)
      .where('id', '!=', kept)
      .returning('id')
      .execute();
    return ended.map(({ id }) => id);
  }

  async isAlive(trx: Kysely<Schema>, accountId: string, id: Bytes, nowMs: number): Promise<boolean> {
    return (await this.#find(trx, id, nowMs))?.account_id === accountId;
  }

  forget(sessionIds: readonly Bytes[]): void {
    for (const id of sessionIds) this.#forget(id);
  }

  async list(accountId: string, nowMs: number): Promise<readonly SessionTable[]> {
    return this.#dependencies.database.db
      .selectFrom('sessions')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('expires_at', '>', this.#dependencies.clock.earliest(nowMs))
      .orderBy('created_at', 'desc')
      .limit(maximumSessions)
      .execute();
  }

  async #check(sessionId: string, accountId: string, nowMs: number): Promise<void> {
    const session = await this.#find(this.#dependencies.database.db, decodeBytes(sessionId), nowMs);
    if (session?.account_id !== accountId) {
      this.#known.delete(sessionId);
      throw new RelayError('session-ended');
    }
    if (this.#known.size > 10_000) this.#known.clear();
    this.#known.set(sessionId, { accountId, atMs: nowMs });
  }

  async #rotate(
    trx: Transaction<Schema>,
    token: { sessionId: Bytes; generation: number; proof: Bytes },
    nowMs: number,
  ): Promise<SessionTable | 'unknown' | 'reused'> {
    // An update first: it takes the row's lock, so that two calls with one token are one after the other.
    await trx
      .updateTable('sessions')
      .set({ expires_at: (expression) => expression.ref('expires_at') })
      .where('id', '=', token.sessionId)
      .execute();
    const session = await this.#find(trx, token.sessionId, nowMs);
    if (session === undefined || !isGenuine(this.#dependencies.keys, session, token)) return 'unknown';
    const isNewest = token.generation === session.generation;
    const isPredecessor = token.generation === session.generation - 1 && nowMs - session.rotated_at <= graceMs;
    if (!isNewest && !isPredecessor) {
      await this.#delete(trx, session.id);
      return 'reused';
    }
    const next: SessionTable = {
      ...session,
      ...(isNewest ? { generation: session.generation + 1, rotated_at: nowMs } : {}),
      refreshed_at: nowMs,
      expires_at: this.#expiryOf(nowMs),
    };
    await trx.updateTable('sessions').set(next).where('id', '=', session.id).execute();
    return next;
  }

  async #delete(trx: Transaction<Schema>, id: Bytes): Promise<void> {
    await trx.deleteFrom('sessions').where('id', '=', id).execute();
  }

  #forget(id: Bytes): void {
    const sessionId = encodeBytes(id);
    this.#known.delete(sessionId);
    this.#dependencies.onEnded(sessionId);
  }

  #find(db: Kysely<Schema>, id: Bytes, nowMs: number): Promise<SessionTable | undefined> {
    return db
      .selectFrom('sessions')
      .selectAll()
      .where('id', '=', id)
      .where('expires_at', '>', this.#dependencies.clock.earliest(nowMs))
      .executeTakeFirst();
  }

  #expiryOf(nowMs: number): number {
    return this.#dependencies.clock.latest(nowMs) + sessionLifetimeMs;
  }
}
