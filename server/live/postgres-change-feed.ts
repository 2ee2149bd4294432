import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Client } from 'pg';
import * as v from 'valibot';
import type { Log } from '../../process/event-log.ts';
import { StartError } from '../../process/start-error.ts';
import { connectionTrouble, endConnection } from '../storage/postgres/postgres-pool.ts';
import type { Schema } from '../storage/tables/schema.ts';
import { decodeBytes, encodeBytes } from '../api/route/wire-bytes.ts';
import { type Change, type ChangeFeed, LocalChangeFeed } from './change-feed.ts';

const channel = 'sotto_changes';
const reconnectDelayMs = 1_000;
const echoDeadlineMs = 5_000;
const echoIntervalMs = 30_000;

const idText = v.pipe(v.string(), v.maxLength(64));
const notice = v.strictObject({
  from: idText,
  /** `echo`: whoever listens tries whether it hears. */
  kind: v.picklist(['newer', 'started', 'session-ended', 'turns-released', 'echo']),
  /** Account or session; empty where it is about neither. */
  subject: idText,
  turnId: v.optional(idText),
});

/** Changes among replicas over PostgreSQL's LISTEN and NOTIFY, one connection a process. */
export class PostgresChangeFeed implements ChangeFeed {
  readonly #local = new LocalChangeFeed();
  readonly #name = randomUUID();
  readonly #db: Kysely<Schema>;
  readonly #openClient: () => Client;
  readonly #log: Log;
  #client: Client | null = null;
  #missed: () => void = () => undefined;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;
  #echo: { readonly subject: string; readonly heard: () => void } | null = null;
  #echoTimer: NodeJS.Timeout | null = null;
  readonly #sending = new Set<Promise<void>>();

  /** @param openClient - A new, unconnected client for the same database. */
  constructor(db: Kysely<Schema>, openClient: () => Client, log: Log) {
    this.#db = db;
    this.#openClient = openClient;
    this.#log = log;
  }

  publish(change: Change): void {
    this.#local.publish(change);
    const turnId = change.kind === 'started' ? encodeBytes(change.turnId) : undefined;
    const text = JSON.stringify({ from: this.#name, kind: change.kind, subject: subjectOf(change), turnId });
    // Only a stop waits for it: a replica that misses it learns at the next sync, or when its session is looked at.
    const sent = sql`select pg_notify(${channel}, ${text})`.execute(this.#db).then(
      () => undefined,
      (error: unknown) => this.#log.warn('notify-failed', { error }),
    );
    this.#sending.add(sent);
    void sent.finally(() => this.#sending.delete(sent));
  }

  async listen(onChange: (change: Change) => void, missed: () => void): Promise<void> {
    await this.#local.listen(onChange);
    this.#missed = missed;
    if ((await this.#connect(false)) === 'deaf') {
      await this.close();
      throw new StartError(
        'PostgreSQL’s notices do not arrive: DATABASE_URL leads through a pooler in transaction mode. Give the address of the server itself, or of a pooler in session mode.',
      );
    }
    this.#echoTimer = setInterval(() => void this.#tryConnection(), echoIntervalMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    if (this.#echoTimer !== null) clearInterval(this.#echoTimer);
    await this.#local.close();
    await Promise.all(this.#sending);
    if (this.#client !== null) await endConnection(this.#client);
  }

  /** @returns `deaf` when it listens and hears nothing: the connection that PostgreSQL knows is not this one. */
  async #connect(again: boolean): Promise<'listening' | 'failed' | 'deaf'> {
    const client = this.#openClient();
    this.#client = client;
    client.on('error', () => undefined);
    client.on('end', () => this.#reconnect());
    client.on('notification', ({ payload: text }) => this.#take(text ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
      if (!(await this.#hearsItself())) {
        this.#log.warn('listen-failed', { reason: 'deaf' });
        this.#drop(client);
        return 'deaf';
      }
      if (again) this.#missed();
      return 'listening';
    } catch (error) {
      this.#log.warn('listen-failed', { error: connectionTrouble(error) });
      this.#drop(client);
      return 'failed';
    }
  }

  /** A connection may stand and carry nothing: a pooler between, a network that swallows, a server that froze. */
  async #tryConnection(): Promise<void> {
    const client = this.#client;
    if (client === null || this.#retry !== null || this.#echo !== null) return;
    // When nothing can be sent either, there is nothing to be heard.
    const hears = await this.#hearsItself().catch(() => true);
    if (!hears && client === this.#client) this.#drop(client);
  }

  async #hearsItself(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const subject = randomUUID();
    this.#echo = { subject, heard: () => resolve(true) };
    const timer = setTimeout(() => resolve(false), echoDeadlineMs);
    try {
      const text = JSON.stringify({ from: this.#name, kind: 'echo', subject });
      await sql`select pg_notify(${channel}, ${text})`.execute(this.#db);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#echo = null;
    }
  }

  #drop(client: Client): void {
    client.removeAllListeners('end');
    this.#reconnect();
    // A frozen server does not say goodbye: nobody waits for it.
    void endConnection(client);
  }

  #reconnect(): void {
    if (this.#closed || this.#retry !== null) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      void this.#connect(true);
    }, reconnectDelayMs);
  }

  #take(text: string): void {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), notice), text);
    if (!parsed.success) return;
    const { kind, subject, turnId } = parsed.output;
    if (parsed.output.from === this.#name) {
      if (kind === 'echo' && subject === this.#echo?.subject) this.#echo.heard();
      return;
    }
    if (kind === 'echo') return;
    if (kind === 'newer') this.#local.publish({ kind, accountId: subject });
    else if (kind === 'turns-released') this.#local.publish({ kind });
    else if (kind === 'session-ended') this.#local.publish({ kind, sessionId: subject });
    else if (turnId !== undefined) this.#local.publish({ kind, accountId: subject, turnId: decodeBytes(turnId) });
  }
}

function subjectOf(change: Change): string {
  if (change.kind === 'turns-released') return '';
  return change.kind === 'session-ended' ? change.sessionId : change.accountId;
}
