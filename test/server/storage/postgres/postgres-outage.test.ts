import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { generateServerKeys } from '../../../../server/accounts/keys/server-keys.ts';
import type { Database } from '../../../../server/storage/tables/database.ts';
import { openPostgres } from '../../../../server/storage/postgres/postgres.ts';
import { usualDeadlines } from '../../../../server/storage/postgres/postgres-pool.ts';
import { troubleOf } from '../../../../server/storage/trouble/storage-trouble.ts';
import { PostgresChangeFeed } from '../../../../server/live/postgres-change-feed.ts';
import { type FreezingProxy, startFreezingProxy } from '../../../parts/network/freezing-proxy.ts';
import { noPgbouncer, startPgbouncer, withoutPgbouncer } from '../../../parts/storage/pgbouncer.ts';
import { type Postgres, startPostgres } from '../../../parts/storage/postgres.ts';
import { prepareSignUp } from '../../../parts/users/without-keys/quick-account.ts';
import { quietLog } from '../../../parts/relay/in-process/quiet-log.ts';
import { createDatabase } from '../../../parts/storage/shared-postgres.ts';
import { openTestRelay, type TestRelay } from '../../../parts/relay/in-process/test-relay.ts';
import { until } from '../../../parts/relay/in-process/turn-process.ts';

const signUp = (relay: TestRelay) =>
  prepareSignUp(relay, `person-${randomUUID()}`, 'a password').then(({ started }) => started);

/** Gives what was logged of the storage, and of calls and timers that failed by it. */
const storageLines = (log: { readonly codes: readonly string[] }) =>
  log.codes.filter((code) => /^storage-|failed$/.test(code));

async function throughProxy(): Promise<{ url: string; proxy: FreezingProxy }> {
  const url = new URL(await createDatabase());
  const proxy = await startFreezingProxy(Number(url.port));
  url.port = String(proxy.port);
  return { url: url.href, proxy };
}

async function trouble(work: Promise<unknown>): Promise<string | null> {
  return work.then(
    () => 'none',
    (error: unknown) => troubleOf(error),
  );
}

describe.each(['freeze', 'cut'] as const)('a PostgreSQL that we %s', (how) => {
  test('calls answer 503 and say when to come back, health answers first, and one line begins and ends the outage', async () => {
    const { proxy, url } = await throughProxy();
    const log = quietLog();
    const relay = await openTestRelay('postgres', { environment: { DATABASE_URL: url }, log });
    expect((await signUp(relay)).status).toBe(200);
    proxy[how]();
    let answered = 0;
    const calls = Array.from({ length: 20 }, async () => {
      const answer = await signUp(relay);
      answered += 1;
      return answer;
    });
    const { status: health } = await relay.call('GET', '/healthz');
    expect([health, how === 'cut' || answered === 0]).toEqual([503, true]);
    for (const { headers, json, status } of await Promise.all(calls)) {
      expect([status, json]).toEqual([503, { error: 'storage-failing' }]);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    proxy.thaw();
    await until(async () => (await signUp(relay)).status === 200);
    await until(() => log.codes.includes('storage-works-again'));
    expect(storageLines(log)).toEqual(['storage-failing', 'storage-works-again']);
  }, 60_000);
});

test('a backend that was stopped fails its call in time with the true cause, and the next call takes another', async () => {
  const settings = { url: await createDatabase(), ca: null, connections: 4 };
  const database = await openPostgres(settings, { deadlines: { ...usualDeadlines, answerMs: 700 } });
  onTestFinished(() => database.close());
  let stopped = 0;
  onTestFinished(() => void process.kill(stopped, 'SIGCONT'));
  const silent = database.write(async (trx) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
    stopped = rows[0]!.pid;
    process.kill(stopped, 'SIGSTOP');
    await sql`select 1`.execute(trx);
  });
  expect(await trouble(silent)).toBe('no-answer');
  expect(await trouble(sql`select 1`.execute(database.db))).toBe('none');
});

test('a server that goes away while the start migrates is one sentence, and ends no process as a defect', async () => {
  const { proxy, url } = await throughProxy();
  const first = await openPostgres({ url, ca: null });
  onTestFinished(() => first.close());
  const starting = Promise.withResolvers<string>();
  const held = first.write(async (trx) => {
    await sql`lock table kysely_migration_lock`.execute(trx);
    void openPostgres({ url, ca: null }).then(
      () => starting.resolve('started'),
      (error: Error) => starting.resolve(`${error.name}: ${error.message}`),
    );
    await until(async () => {
      const waiting = await sql`select 1 from pg_locks where not granted`.execute(trx);
      return waiting.rows.length > 0;
    });
    proxy.cut();
  });
  expect(await trouble(held)).not.toBe('none');
  expect(await starting.promise).toContain('StartError: PostgreSQL at DATABASE_URL ended a connection while');
});

test('closing: a server that is frozen keeps neither pool nor change feed, and none of their connections is left', async () => {
  const { proxy, url } = await throughProxy();
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const database = await openPostgres({ url, ca: null, connections: 4 });
  const feed = new PostgresChangeFeed(database.db, database.openClient!, quietLog());
  await feed.listen(
    () => undefined,
    () => undefined,
  );
  await Promise.all(Array.from({ length: 4 }, () => sql`select pg_sleep(0.2)`.execute(database.db)));
  proxy.freeze();
  const before = sockets();
  await feed.close();
  await database.close();
  expect(sockets()).toBe(before - 5);
});

test('a statement, a lock and an idle transaction have their ends at the server, and migrations have none', async () => {
  const settings = { url: await createDatabase(), ca: null, connections: 4 };
  const deadlines = { ...usualDeadlines, statementMs: 1_500, lockMs: 300, idleInTransactionMs: 4_000 };
  const database = await openPostgres(settings, { deadlines });
  onTestFinished(() => database.close());
  const ended = await sql`select pg_sleep(60)`.execute(database.db).catch((error: unknown) => error);
  // By the server's own deadline, not by ours for a connection that says nothing.
  expect([troubleOf(ended), ended]).toEqual(['no-answer', expect.objectContaining({ code: '57014' })]);
  const row = { name: 'held', value: '' };
  await database.db.insertInto('metadata').values(row).execute();
  const update = (db: Database['db']) => db.updateTable('metadata').set({ value: 'a' }).execute();
  let waited: string | null = null;
  const idle = database.write(async (trx) => {
    await update(trx);
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
    waited = await trouble(update(database.db));
    await until(async () => {
      const alive = await sql`select 1 from pg_stat_activity where pid = ${rows[0]!.pid}::int`.execute(database.db);
      return alive.rows.length === 0;
    });
    await update(trx);
  });
  expect(['no-answer', 'unreachable']).toContain(await trouble(idle));
  expect(waited).toBe('busy');
  expect(await trouble(update(database.db))).toBe('none');
});

describe('a server with 25 connections', () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await startPostgres({ max_connections: '25', superuser_reserved_connections: '0' });
  });
  afterAll(() => server.stop());

  /** Takes connections until the server grants no more. */
  async function takeTheRest(url: string): Promise<pg.Client[]> {
    const taken: pg.Client[] = [];
    onTestFinished(async () => void (await Promise.all(taken.map((client) => client.end().catch(() => undefined)))));
    for (;;) {
      const client = new pg.Client(url);
      client.on('error', () => undefined);
      try {
        await client.connect();
      } catch {
        return taken;
      }
      taken.push(client);
    }
  }

  test('two relays that want 40, and 120 callers: every call is answered', async () => {
    const environment = {
      DATABASE_URL: await server.createDatabase(),
      SERVER_KEYS: await generateServerKeys(),
      DATABASE_CONNECTIONS: '20',
    };
    const relays = [
      await openTestRelay('postgres', { environment }),
      await openTestRelay('postgres', { environment }),
    ] as const;
    const statuses: Record<number, number> = {};
    const caller = async (number: number) => {
      for (let call = 0; call < 12; call++) {
        for (;;) {
          const { headers, status } = await signUp(relays[number % 2 === 0 ? 0 : 1]);
          statuses[status] = (statuses[status] ?? 0) + 1;
          if (status === 200) break;
          // On a machine that does something else, a connection may take longer than a call waits for it.
          expect([status, Number(headers.get('retry-after')) > 0]).toEqual([503, true]);
          await sleep(1_000);
        }
      }
    };
    await Promise.all(Array.from({ length: 120 }, (_, number) => caller(number)));
    expect(statuses[200]).toBe(1440);
    expect(statuses[503] ?? 0).toBeLessThan(144);
  }, 120_000);

  test('others took all but one: that one serves everybody; without any, calls answer 503 until there is one', async () => {
    const environment = { DATABASE_URL: await server.createDatabase() };
    const log = quietLog();
    const relay = await openTestRelay('postgres', { environment, log });
    const taken = await takeTheRest(environment.DATABASE_URL);
    const answers = await Promise.all(Array.from({ length: 30 }, () => signUp(relay)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));

    await taken[0]!.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sotto' and datname = current_database()",
    );
    await takeTheRest(environment.DATABASE_URL);
    const refused = await signUp(relay);
    expect([refused.status, refused.json]).toEqual([503, { error: 'storage-failing' }]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await expect(openPostgres({ url: environment.DATABASE_URL, ca: null })).rejects.toThrow(
      'grants no more connections: lower DATABASE_CONNECTIONS',
    );
    await Promise.all(taken.map((client) => client.end()));
    await until(async () => (await signUp(relay)).status === 200);
    await until(() => log.codes.includes('storage-works-again'));
    expect(storageLines(log)).toEqual(['storage-failing', 'storage-works-again']);
  }, 60_000);
});

describe.skipIf(noPgbouncer !== null)(`a real PgBouncer between${withoutPgbouncer}`, () => {
  test('in transaction mode: the start is refused in one sentence', async () => {
    const environment = { DATABASE_URL: await startPgbouncer(await createDatabase(), 'transaction') };
    await expect(openTestRelay('postgres', { environment })).rejects.toThrow(
      'DATABASE_URL leads through a pooler in transaction mode',
    );
  });

  test('in statement mode: the start is refused in one sentence', async () => {
    const url = await startPgbouncer(await createDatabase(), 'statement');
    await expect(openPostgres({ url, ca: null })).rejects.toThrow(
      'the pooler before it, which must be in session mode',
    );
  });

  test('in session mode: the relay starts and works', async () => {
    const environment = { DATABASE_URL: await startPgbouncer(await createDatabase(), 'session') };
    const relay = await openTestRelay('postgres', { environment });
    expect((await signUp(relay)).status).toBe(200);
  });

  // The relay wants nine; one more than its places lets PgBouncer wait in silence, one more client it refuses by name.
  test.each([
    ['default_pool_size = 4', 'max_client_conn = 100'],
    ['max_db_connections = 4', 'max_client_conn = 100'],
    ['default_pool_size = 10', 'max_client_conn = 4'],
  ])('in session mode with few places (%s, %s): they serve everybody', async (...places) => {
    const environment = { DATABASE_URL: await startPgbouncer(await createDatabase(), 'session', places) };
    const log = quietLog();
    const relay = await openTestRelay('postgres', { environment, log });
    for (let wave = 0; wave < 3; wave++) {
      const answers = await Promise.all(Array.from({ length: 30 }, () => signUp(relay)));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    }
    expect(storageLines(log)).toEqual([]);
  });
});
