import { type Kysely, sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import type { Schema } from '../../../../server/storage/tables/schema.ts';
import { openTestDatabase } from '../../../parts/storage/relay-database.ts';
import { until } from '../../../parts/relay/in-process/turn-process.ts';

/* A PostgreSQL that restarts or fails over ends connections in the middle of what they do. */

async function backendOf(db: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  return rows[0]!.pid;
}

async function endBackend(db: Kysely<Schema>, pid: number): Promise<void> {
  await sql`select pg_terminate_backend(${pid}::int)`.execute(db);
  await until(async () => {
    const { rows } = await sql`select 1 from pg_stat_activity where pid = ${pid}::int`.execute(db);
    return rows.length === 0;
  });
}

/** Collects what would have ended the process. */
function watchProcess(): unknown[] {
  const defects: unknown[] = [];
  const note = (error: unknown) => void defects.push(error);
  for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, note);
  onTestFinished(() => {
    for (const event of ['uncaughtException', 'unhandledRejection']) process.off(event, note);
  });
  return defects;
}

test.each(['write', 'read'] as const)(
  '%s: a connection that is lost between two statements fails the call, not the process',
  async (how) => {
    const database = await openTestDatabase('postgres');
    const defects = watchProcess();
    const lost = database[how](async (trx) => {
      const pid = await backendOf(trx);
      await endBackend(database.db, pid);
      await backendOf(trx);
    });
    await expect(lost).rejects.toThrow(/connection/i);
    await expect(database[how](backendOf)).resolves.toBeGreaterThan(0);
    expect(defects).toEqual([]);
  },
);

test.each(['write', 'read'] as const)(
  '%s: a connection that is lost in a statement fails the call, not the process',
  async (how) => {
    const database = await openTestDatabase('postgres');
    const defects = watchProcess();
    let pid = 0;
    const lost = database[how](async (trx) => {
      pid = await backendOf(trx);
      await sql`select pg_sleep(60)`.execute(trx);
    });
    const ending = until(() => pid > 0).then(() => endBackend(database.db, pid));
    await expect(lost).rejects.toThrow(/connection/i);
    await ending;
    await expect(database[how](backendOf)).resolves.toBeGreaterThan(0);
    expect(defects).toEqual([]);
  },
);
