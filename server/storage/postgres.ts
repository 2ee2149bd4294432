import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { StartError } from '../start-error.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
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

const deadlocks = new Set(['40P01', '40001']);
const attempts = 4;

/** @throws {StartError} when the server does not answer, or a newer Sotto wrote the database. */
export async function openPostgres(settings: PostgresSettings, limits: SpaceLimits = {}): Promise<Database> {
  const config = connectionConfig(settings);
  const pool = new pg.Pool({ ...config, max: settings.connections ?? 20, idleTimeoutMillis: 60_000 });
  // A connection that breaks while idle; the next query takes another.
  pool.on('error', () => undefined);
  // One that breaks in a transaction: the pool listens to idle ones alone, and the call that holds it fails by itself.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool, controlClient: pg.Client }) });
  const space = new StorageSpace(new PostgresSpace(db), limits);
  try {
    await pool.query('select 1').catch((error: unknown) => {
      throw new StartError(`PostgreSQL at DATABASE_URL does not answer (${reasonOf(error)}).`);
    });
    await migrate(db, 'postgres');
    await space.refresh();
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return {
    kind: 'postgres',
    db,
    space,
    async write(work) {
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
    },
    read: (work) => db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work),
    openClient: () => new pg.Client(config),
    close: () => db.destroy(),
  };
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
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
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

function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]{1,32}$/.test(code) ? code : 'unknown reason';
}
