import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { waitFor } from '../relay/running-sotto.ts';

/** Where a relay keeps what it has. */
export type Storage = { readonly dataFolder: string; readonly databaseUrl?: string | undefined };

/** Reads what an auditor reads beside the running relay. */
export async function queryStorage(storage: Storage, query: string): Promise<Record<string, unknown>[]> {
  if (storage.databaseUrl !== undefined) {
    const client = new pg.Client({ connectionString: storage.databaseUrl });
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(query);
    await client.end();
    return rows;
  }
  const database = new DatabaseSync(findSqliteFile(storage.dataFolder), { readOnly: true });
  try {
    return database.prepare(query).all();
  } finally {
    database.close();
  }
}

export function findSqliteFile(dataFolder: string): string {
  const name = readdirSync(dataFolder).find((each) => /\.(db|sqlite3?)$/.test(each) && !each.includes('lock'));
  if (name === undefined) throw new Error(`No database in ${dataFolder}.`);
  return join(dataFolder, name);
}

/** Waits until each answer is stored in one piece, some seconds after its end: no frame is on its way to the disk any more. */
export async function waitForStoredAnswers(storage: Storage): Promise<void> {
  const count = async (query: string) =>
    Number((await queryStorage(storage, `SELECT count(*) AS count FROM ${query}`))[0]?.['count']);
  await waitFor(
    async () =>
      (await count('turns')) > 0 &&
      (await count(`turns WHERE state = 'running'`)) === 0 &&
      (await count('transcripts')) === 0,
    60_000,
    () => 'an answer was not stored in one piece',
  );
}
