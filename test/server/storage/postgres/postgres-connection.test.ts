import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openPostgres } from '../../../../server/storage/postgres/postgres.ts';
import { connectionConfig } from '../../../../server/storage/postgres/postgres-connection.ts';
import { writeCertificate } from '../../../parts/network/certificate-files.ts';
import { type Postgres, startPostgres } from '../../../parts/storage/postgres.ts';
import { makeSelfSigned } from '../../../parts/network/self-signed.ts';
import { createDatabase } from '../../../parts/storage/shared-postgres.ts';
import { until } from '../../../parts/relay/in-process/turn-process.ts';

/* PostgreSQL's word against a start, or the setting's, is one sentence that says what to do. */

async function ask(url: string, ...statements: readonly string[]): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    let rows: unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
}

/** @returns null where it can be opened. */
function complaintOf(url: string, ca: string | null = null): Promise<string | null> {
  return openPostgres({ url, ca }).then(
    async (database) => {
      await database.close();
      return null;
    },
    (error: Error) => `${error.name}: ${error.message}`,
  );
}

function changed(text: string, change: (url: URL) => void): string {
  const url = new URL(text);
  change(url);
  return url.href;
}

const sentence = (text: string) => `StartError: PostgreSQL at DATABASE_URL ${text}`;
const withMode = (text: string, mode: string) => changed(text, (url) => url.searchParams.set('sslmode', mode));

test('openPostgres: a server that does not answer is one sentence', async () => {
  expect(await complaintOf('postgres://localhost:1/none')).toBe(
    sentence('does not answer (ECONNREFUSED): start it, or mend host and port.'),
  );
});

test('openPostgres: wrong password, name, host or TLS each have a sentence; the right ones have none', async () => {
  const right = await createDatabase();
  expect(await complaintOf(withMode(right, 'require'))).toBe(
    sentence('does not speak TLS: turn it on there, or write sslmode=disable into DATABASE_URL.'),
  );
  expect(await complaintOf(changed(right, (url) => (url.password = 'wrong')))).toContain('the user or the password');
  expect(await complaintOf(changed(right, (url) => (url.pathname = '/none')))).toContain('has no database of the name');
  expect(await complaintOf(changed(right, (url) => (url.hostname = 'nowhere.invalid')))).toContain('nobody knows');
  expect(await complaintOf(withMode(right, 'disable'))).toBeNull();
});

test('openPostgres: a user who may not write is told so, whether tables stand or not', async () => {
  const [empty, full] = [await createDatabase(), await createDatabase()];
  const reader = `reader_${new URL(empty).pathname.slice(1)}`;
  const owner = `owner_${new URL(empty).pathname.slice(1)}`;
  const as = (user: string, url: string) =>
    changed(url, (changing) => {
      [changing.username, changing.password] = [user, 'secret'];
    });
  await ask(
    empty,
    `create role ${reader} login password 'secret'`,
    `create role ${owner} login password 'secret'`,
    `alter database ${new URL(empty).pathname.slice(1)} owner to ${owner}`,
  );
  const mayNot = sentence(
    'does not let the user of DATABASE_URL make and fill tables: make that user the owner of the database.',
  );
  expect(await complaintOf(as(reader, empty))).toBe(mayNot);
  expect(await complaintOf(full)).toBeNull();
  await ask(full, `grant select on all tables in schema public to ${reader}`);
  expect(await complaintOf(as(reader, full))).toBe(mayNot);
  await ask(full, `grant all on all tables in schema public to ${reader}`);
  expect(await complaintOf(as(reader, full))).toBeNull();
  // A standby is like this: whoever asks, nothing can be written.
  const standby = sentence('takes no writes, as a standby does: give the primary, and a user who may write.');
  for (const user of [reader, owner]) await ask(full, `alter role ${user} set default_transaction_read_only = on`);
  expect(await complaintOf(as(reader, full))).toBe(standby);
  expect(await complaintOf(as(owner, empty))).toBe(standby);
  await ask(full, `alter role ${owner} reset default_transaction_read_only`);
  expect(await complaintOf(as(owner, empty))).toBeNull();
});

describe('a server with TLS', () => {
  let server: Postgres;
  let url: string;
  const { cert, key } = makeSelfSigned();
  beforeAll(async () => {
    server = await startPostgres();
    const { uid, gid } = statSync(server.dataFolder);
    for (const [name, text] of [
      ['server.crt', cert],
      ['server.key', key],
    ] as const) {
      const path = join(server.dataFolder, name);
      writeFileSync(path, text, { mode: 0o600 });
      chownSync(path, uid, gid);
    }
    await ask(server.url, 'alter system set ssl = on', 'select pg_reload_conf()');
    url = changed(await server.createDatabase(), (changing) => (changing.hostname = 'localhost'));
    return () => server.stop();
  });

  /** The server reads its settings anew in its own time. */
  const isReady = () => until(async () => (await complaintOf(withMode(url, 'require'))) === null);

  test('openPostgres: each sslmode checks as much as it says, and a CA is always checked', async () => {
    await isReady();
    const { files } = await writeCertificate({ cert, key });
    const untrusted = sentence('has a certificate that is not trusted: give its authority as DATABASE_CA.');
    expect(await complaintOf(withMode(url, 'verify-full'))).toBe(untrusted);
    expect(await complaintOf(withMode(url, 'verify-ca'))).toBe(untrusted);
    for (const ca of [cert, files.certFile]) {
      for (const mode of ['require', 'verify-ca', 'verify-full']) {
        expect([mode, await complaintOf(withMode(url, mode), ca)]).toEqual([mode, null]);
      }
      expect(await complaintOf(url, ca)).toBeNull();
    }
    expect(await complaintOf(withMode(url, 'require'), makeSelfSigned().cert)).toBe(untrusted);
  });

  test('openPostgres: a server that lets nobody in without TLS is not called one that refuses the password', async () => {
    await isReady();
    const path = join(server.dataFolder, 'pg_hba.conf');
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, 'hostssl all all all password\n');
    await ask(withMode(url, 'no-verify'), 'select pg_reload_conf()');
    onTestFinished(async () => {
      writeFileSync(path, before);
      await ask(withMode(url, 'no-verify'), 'select pg_reload_conf()');
    });
    await until(async () => (await complaintOf(url)) !== null);
    expect(await complaintOf(url)).toBe(
      sentence(
        'does not let this user in from here: look at the role, at pg_hba.conf, and whether TLS is asked for (sslmode=require).',
      ),
    );
    expect(await complaintOf(withMode(url, 'require'))).toBeNull();
    const wrong = changed(withMode(url, 'require'), (changing) => (changing.password = 'wrong'));
    expect(await complaintOf(wrong)).toBe(sentence('refuses the user or the password of DATABASE_URL.'));
  });
});

const { cert: authority } = makeSelfSigned();
const config = (query: string, ca: string | null = null) =>
  connectionConfig({ url: `postgres://u:p@db.example/x${query}`, ca });

test('connectionConfig: sslmode and CA decide together, and nothing of them stays in the URL', () => {
  expect(config('?sslmode=require&application_name=y', authority)).toMatchObject({
    connectionString: 'postgres://u:p@db.example/x?application_name=y',
    ssl: { ca: authority },
  });
  expect(config('?sslmode=require').ssl).toEqual({ rejectUnauthorized: false });
  expect(config('?sslmode=require&uselibpqcompat=true').ssl).toEqual({ rejectUnauthorized: false });
  expect(config('?sslmode=verify-full').ssl).toEqual({});
  expect(config('?sslmode=disable').ssl).toBe(false);
  expect(config('').ssl).toBe(false);
  expect(config('', authority).ssl).toEqual({ ca: authority });
});

test.each(['prefer', 'allow', 'no-verify', '', 'REQUIRE', 'disable&sslmode=require'])(
  'connectionConfig: sslmode=%s is refused, for it is unknown or may send everything in clear',
  (mode) => {
    for (const ca of [null, authority]) {
      expect(() => config(`?sslmode=${mode}`, ca)).toThrow('an sslmode that is unknown or promises nothing');
    }
  },
);

test.each(['ssl=true', 'ssl=no-verify', 'sslrootcert=/ca.pem', 'sslcert=/c', 'sslkey=/k', 'sslnegotiation=direct'])(
  'connectionConfig: %s is refused, not passed over, with a mode and without',
  (parameter) => {
    for (const query of [`?${parameter}`, `?sslmode=verify-full&${parameter}`, `?${parameter.toUpperCase()}`]) {
      expect(() => config(query)).toThrow('a parameter for TLS beside sslmode');
    }
  },
);

test('connectionConfig: a CA that cannot be read, or is none, is refused', () => {
  expect(() => config('?sslmode=disable', authority)).toThrow('drop one of them');
  expect(() => config('', '/nowhere/ca.pem')).toThrow('DATABASE_CA cannot be read');
  expect(() => config('', import.meta.dirname)).toThrow('DATABASE_CA cannot be read');
  // An empty file would mean every authority that Node knows.
  for (const ca of ['/dev/null', import.meta.filename, '-----BEGIN CERTIFICATE-----\n', makeSelfSigned().key]) {
    expect(() => config('', ca)).toThrow('DATABASE_CA holds no certificate');
  }
});

test.each(['not a url', 'http://db.example/x', 'mysql://u:p@db.example/x', 'postgres://u:p#q@db.example/x'])(
  'connectionConfig: %s is refused as no URL of PostgreSQL, without a word of it',
  (url) => {
    expect(() => connectionConfig({ url, ca: null })).toThrow(
      'DATABASE_URL is not a URL of PostgreSQL: write postgres://user:password@host:5432/name, with %23 for # and the like.',
    );
    expect(() => connectionConfig({ url: 'postgresql://u:p%23q@db.example/x', ca: null })).not.toThrow();
  },
);
