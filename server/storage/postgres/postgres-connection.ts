import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { StartError } from '../../../process/start-error.ts';
import { usualDeadlines } from './postgres-pool.ts';

export type PostgresSettings = {
  /** `postgres://…`, as DATABASE_URL has it. */
  readonly url: string;
  /** The authority that signed the server's certificate: PEM text, or the path of a PEM file. */
  readonly ca: string | null;
  readonly connections?: number;
};

/**
 * A CA and `sslmode` in the URL do not go together in `pg`: the URL's mode silently replaces the whole `ssl` object.
 * So it is read and taken out, and `require` with a CA means that the certificate is checked.
 *
 * @throws {StartError} for an unreadable URL or CA, and for each other wish about TLS: none is passed over in silence.
 */
export function connectionConfig(settings: PostgresSettings): pg.ClientConfig {
  const url = URL.parse(settings.url);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new StartError(
      'DATABASE_URL is not a URL of PostgreSQL: write postgres://user:password@host:5432/name, with %23 for # and the like.',
    );
  }
  const modes = url.searchParams.getAll('sslmode');
  // `uselibpqcompat` asks for libpq's meaning of `require`, which is ours anyway.
  for (const name of ['sslmode', 'uselibpqcompat']) url.searchParams.delete(name);
  if ([...url.searchParams.keys()].some((name) => /^ssl/i.test(name))) {
    throw new StartError(
      'DATABASE_URL has a parameter for TLS beside sslmode: write sslmode=require or verify-full, and give the authority as DATABASE_CA.',
    );
  }
  return {
    connectionString: url.href,
    ssl: encryption(modes.length === 0 ? null : modes.join(), settings.ca),
    connectionTimeoutMillis: usualDeadlines.connectionMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'sotto',
    types: { getTypeParser },
  };
}

function encryption(mode: string | null, ca: string | null): NonNullable<pg.ClientConfig['ssl']> {
  if (mode !== null && !['disable', 'require', 'verify-ca', 'verify-full'].includes(mode)) {
    // `prefer` and `allow` go without TLS whenever somebody on the way wants it.
    throw new StartError(
      'DATABASE_URL has an sslmode that is unknown or promises nothing: use disable, require, verify-ca or verify-full.',
    );
  }
  if (ca !== null) {
    if (mode === 'disable') {
      throw new StartError('DATABASE_CA is set, but DATABASE_URL says sslmode=disable: drop one of them.');
    }
    return { ca: readAuthority(ca) };
  }
  if (mode === null || mode === 'disable') return false;
  // By `require` libpq means: encrypted, the certificate unchecked.
  return mode === 'require' ? { rejectUnauthorized: false } : {};
}

function readAuthority(ca: string): string {
  let pem = ca;
  try {
    if (!ca.startsWith('-----BEGIN ')) pem = readFileSync(ca, 'utf8');
  } catch {
    throw new StartError('DATABASE_CA cannot be read: give the path of a PEM file.');
  }
  try {
    // An empty text would mean every authority that Node knows.
    new X509Certificate(pem);
  } catch {
    throw new StartError(
      'DATABASE_CA holds no certificate: give the PEM file of the authority that signed the server’s.',
    );
  }
  return pem;
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
