import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect, type PostgresDialectConfig, PostgresDriver, sql } from 'kysely';
import pg from 'pg';
import { StartError } from '../start-error.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import { BoundedPool, type PostgresDeadlines, usualDeadlines } from './postgres-pool.ts';
import { PostgresSpace } from './postgres-space.ts';
import type { Schema } from './schema.ts';
import { type SpaceLimits, StorageSpace } from './storage-space.ts';

export type PostgresSettings = {
  /** `postgres://…`, as DATABASE_URL has it. */
  readonly url: string;
  /** The authority that signed the server's certificate: PEM text, or the path of a PEM file. */
  readonly ca: string | null;
  readonly connections?: number;
};

/** Two relays and their ears stay below the 25 connections of the smallest servers that one can rent. */
export const usualConnections = 8;
const deadlocks = new Set(['40P01', '40001']);
const attempts = 4;

/** Keeps the true cause of a transaction that failed: its rollback, on a connection that broke, has a lesser one. */
class CauseKeepingDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): PostgresDriver {
    return new CauseKeepingDriver(this.#config);
  }
}

class CauseKeepingDriver extends PostgresDriver {
  override async rollbackTransaction(
    ...[connection]: Parameters<PostgresDriver['rollbackTransaction']>
  ): Promise<void> {
    // Kysely has marked the connection, so that nobody gets it again.
    await super.rollbackTransaction(connection).catch(() => undefined);
  }
}

export type PostgresOptions = SpaceLimits & {
  readonly deadlines?: PostgresDeadlines;
  /** False leaves tables as they are: for whoever only reads. */
  readonly migrate?: boolean;
};

/** @throws {StartError} when the server does not answer, or a newer Sotto wrote the database. */
export async function openPostgres(settings: PostgresSettings, options: PostgresOptions = {}): Promise<Database> {
  const config = connectionConfig(settings);
  const deadlines = options.deadlines ?? usualDeadlines;
  const pool = new BoundedPool(config, settings.connections ?? usualConnections, deadlines);
  const db = new Kysely<Schema>({ dialect: new CauseKeepingDialect({ pool, controlClient: pg.Client }) });
  const space = new StorageSpace(new PostgresSpace(db), options);
  try {
    await sql`select 1`.execute(db).catch((error: unknown) => {
      throw connectionComplaint(error);
    });
    if (options.migrate !== false) await migrateWithoutDeadlines(config);
    await space.refresh();
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const write: Database['write'] = async (work) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await db.transaction().execute(work);
      } catch (error) {
        const { code } = error as { code?: unknown };
        if (typeof code !== 'string' || !deadlocks.has(code) || attempt === attempts) throw error;
        // Those that met once do not meet again at the same moment.
        await sleep(Math.random() * 20 * attempt);
      }
    }
  };
  return {
    kind: 'postgres',
    db,
    space,
    write,
    writeAside: write,
    read: (work) => db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work),
    openClient: () => new pg.Client({ ...config, query_timeout: deadlines.answerMs }),
    close: () => db.destroy(),
  };
}

/** A large table may take its time, and a replica waits for another one that migrates. */
async function migrateWithoutDeadlines(config: pg.ClientConfig): Promise<void> {
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: new pg.Pool({ ...config, max: 1 }) }) });
  try {
    await migrate(db, 'postgres');
  } finally {
    await db.destroy();
  }
}

/**
 * A CA and `sslmode` in the URL do not go together in `pg`: the URL's mode silently replaces the whole `ssl` object.
 * So it is read and taken out, and `require` with a CA means that the certificate is checked.
 *
 * @throws {StartError} for an unreadable URL or CA file.
 */
export function connectionConfig(settings: PostgresSettings): pg.ClientConfig {
  let url: URL;
  try {
    url = new URL(settings.url);
  } catch {
    throw new StartError('DATABASE_URL is not a URL: write postgres://user:password@host:5432/name.');
  }
  const mode = url.searchParams.get('sslmode');
  for (const name of ['sslmode', 'sslrootcert', 'ssl', 'uselibpqcompat']) url.searchParams.delete(name);
  return {
    connectionString: url.href,
    ssl: encryption(mode, settings.ca),
    connectionTimeoutMillis: usualDeadlines.connectionMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'sotto',
    types: { getTypeParser },
  };
}

function encryption(mode: string | null, ca: string | null): NonNullable<pg.ClientConfig['ssl']> {
  if (ca !== null) {
    if (mode === 'disable') {
      throw new StartError('DATABASE_CA is set, but DATABASE_URL says sslmode=disable: drop one of them.');
    }
    try {
      return { ca: ca.startsWith('-----BEGIN ') ? ca : readFileSync(ca, 'utf8') };
    } catch {
      throw new StartError('DATABASE_CA cannot be read: give the path of a PEM file, or its text.');
    }
  }
  switch (mode) {
    case null:
    case 'disable':
    case 'allow':
    case 'prefer':
      return false;
    case 'require':
      // What libpq means by it: encrypted, the certificate unchecked.
      return { rejectUnauthorized: false };
    case 'verify-ca':
    case 'verify-full':
      return {};
    default:
      throw new StartError('DATABASE_URL has an unknown sslmode: use disable, require, verify-ca or verify-full.');
  }
}

const byteaType = 17;
const bigintType = 20;

/** bytea as plain bytes and bigint as numbers, as SQLite gives them. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (format !== 'binary') {
    if (oid === byteaType) return parseBytes;
    if (oid === bigintType) return parseInteger;
  }
  return pg.types.getTypeParser(oid, format) as (text: string) => unknown;
}

function parseBytes(text: string): Uint8Array {
  if (!text.startsWith('\\x')) throw new Error('PostgreSQL writes bytea in another form than hex.');
  const decoded = Buffer.from(text.slice(2), 'hex');
  // A copy where Node's shared pool lies beneath, so that the bytes own their memory.
  return decoded.byteLength === decoded.buffer.byteLength ? new Uint8Array(decoded.buffer) : new Uint8Array(decoded);
}

function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error('A number from the database is not safe.');
  return value;
}

/** By code, or by words where `pg` has none. */
const complaints: readonly (readonly [RegExp, string])[] = [
  [/does not support SSL/, 'does not speak TLS: turn it on there, or write sslmode=disable into DATABASE_URL.'],
  [/^(28P01|28000)$|password must be a string/, 'refuses the user or the password of DATABASE_URL.'],
  [/^3D000$/, 'has no database of the name in DATABASE_URL: create it there.'],
  [/^53300$/, 'grants no more connections: lower DATABASE_CONNECTIONS, here and in other relays, or raise its limit.'],
  [/^57P03$/, 'is starting or stopping: try again in a moment.'],
  [/connection timeout|timeout expired/, 'does not answer within 8 seconds.'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'has a host name that nobody knows: look at DATABASE_URL.'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'has a certificate for another name than the one in DATABASE_URL.'],
  [/CERT/, 'has a certificate that is not trusted: give its authority as DATABASE_CA.'],
];

function connectionComplaint(error: unknown): StartError {
  const reasons = reasonsOf(error);
  const found = complaints.find(([pattern]) => reasons.some((reason) => pattern.test(reason)));
  if (found !== undefined) return new StartError(`PostgreSQL at DATABASE_URL ${found[1]}`);
  const code = reasons.find((reason) => /^[A-Z0-9_]{1,32}$/.test(reason));
  return new StartError(`PostgreSQL at DATABASE_URL does not answer${code === undefined ? '' : ` (${code})`}.`);
}

/** Codes and words of an error and of what caused it. */
function reasonsOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { code, errors } = error as Error & { code?: unknown; errors?: unknown };
  const inner = Array.isArray(errors) ? errors.flatMap((each) => reasonsOf(each)) : [];
  return [...(typeof code === 'string' ? [code] : []), error.message, ...inner, ...reasonsOf(error.cause)];
}
