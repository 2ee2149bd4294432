import { access, readdir } from 'node:fs/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createDatabase } from './shared-postgres.ts';
import { startPostgres } from './postgres.ts';

test('startPostgres: answers queries, keeps its data in the folder, and is gone after stop', async () => {
  const postgres = await startPostgres();
  const client = new pg.Client(postgres.url);
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query<{ answer: number }>('SELECT 42 AS answer');
  expect(rows).toEqual([{ answer: 42 }]);
  expect(await readdir(postgres.dataFolder)).toContain('pg_wal');
  await client.end();

  await postgres.stop();
  await expect(access(postgres.dataFolder)).rejects.toThrow('ENOENT');
  await expect(new pg.Client(postgres.url).connect()).rejects.toThrow('ECONNREFUSED');
});

test('createDatabase: two databases of the shared server do not see each other', async () => {
  const urls = [await createDatabase(), await createDatabase()];
  expect(urls[0]).not.toBe(urls[1]);
  const clients = urls.map((connectionString) => new pg.Client({ connectionString }));
  await Promise.all(clients.map((client) => client.connect()));
  await clients[0]!.query('CREATE TABLE only_here (id int)');
  await expect(clients[1]!.query('SELECT * FROM only_here')).rejects.toThrow('does not exist');
  await expect(clients[0]!.query('SELECT * FROM only_here')).resolves.toMatchObject({ rows: [] });
  await Promise.all(clients.map((client) => client.end()));
});
