import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Client } from 'pg';
import * as v from 'valibot';
import type { Log } from '../log.ts';
import type { Schema } from '../storage/schema.ts';
import { decodeBytes, encodeBytes } from '../vault/wire-bytes.ts';
import { type Change, type ChangeFeed, LocalChangeFeed } from './change-feed.ts';

const channel = 'sotto_changes';
const reconnectDelayMs = 1_000;

const idText = v.pipe(v.string(), v.maxLength(64));
const notice = v.strictObject({
  from: idText,
  kind: v.picklist(['newer', 'started', 'session-ended', 'turns-released']),
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
      () => this.#log.warn('notify-failed'),
    );
    this.#sending.add(sent);
    void sent.finally(() => this.#sending.delete(sent));
  }

  async listen(onChange: (change: Change) => void, missed: () => void): Promise<void> {
    await this.#local.listen(onChange);
    this.#missed = missed;
    await this.#connect(false);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#local.close();
    await Promise.all(this.#sending);
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(again: boolean): Promise<void> {
    const client = this.#openClient();
    this.#client = client;
    client.on('error', () => undefined);
    client.on('end', () => this.#reconnect());
    client.on('notification', ({ payload: text }) => this.#take(text ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
      if (again) this.#missed();
    } catch {
      this.#log.warn('listen-failed');
      this.#reconnect();
      await client.end().catch(() => undefined);
    }
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
    if (!parsed.success || parsed.output.from === this.#name) return;
    const { kind, subject, turnId } = parsed.output;
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
