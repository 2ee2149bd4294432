import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { RecordingProxy } from '../parts/network/recording-proxy.ts';
import { type RunningSotto, waitFor } from '../parts/relay/running-sotto.ts';
import { findSqliteFile } from '../parts/storage/stored-answers.ts';
import { readProcessMemory } from './process-memory.ts';

export type LeftoverDependencies = {
  readonly sotto: RunningSotto;
  readonly proxy: RecordingProxy;
  /** Where the relay was told to put heap snapshots. */
  readonly snapshotFolder: string;
  readonly postgres: { readonly url: string; readonly dataFolder: string } | null;
};

/** `place` is one of a few words, for some of them with the file or table behind a colon. */
export type Leftover = {
  readonly place: string;
  readonly bytes: Buffer;
  /** Compressed streams inside were made by others, or would be found elsewhere. */
  readonly isPlain?: boolean;
};

/** Everything that the operator of a relay could lay hands on. */
export async function* relayLeftovers(dependencies: LeftoverDependencies): AsyncGenerator<Leftover> {
  const { sotto, proxy, postgres } = dependencies;
  const { requests, responses } = proxy.recorded();
  for (const bytes of requests) yield { place: 'requests', bytes };
  for (const bytes of responses) yield { place: 'responses', bytes };
  yield { place: 'logs', bytes: Buffer.from(sotto.output()) };
  for (const [path, bytes] of filesUnder(sotto.dataFolder)) yield { place: `data folder: ${path}`, bytes };
  if (postgres === null) {
    yield* readSqlite(findSqliteFile(sotto.dataFolder));
  } else {
    yield* readPostgres(postgres.url);
    for (const [path, bytes] of filesUnder(postgres.dataFolder)) yield { place: `postgres files: ${path}`, bytes };
  }
  // A snapshot holds every text and object of V8's heap, but of a Buffer only that there is one: its bytes lie outside.
  yield { place: 'heap of the relay', bytes: await takeHeapSnapshot(sotto, dependencies.snapshotFolder) };
  // There they are; only Linux shows them, and not to everybody.
  for (const bytes of readProcessMemory(sotto.childPid('server/main.ts')) ?? []) {
    yield { place: 'memory of the relay', bytes, isPlain: true };
  }
}

function* readSqlite(file: string): Generator<Leftover> {
  const database = new DatabaseSync(file, { readOnly: true });
  for (const { name } of database.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all()) {
    for (const row of database.prepare(`SELECT * FROM "${String(name)}"`).all()) {
      for (const value of Object.values(row)) {
        yield {
          place: `table: ${String(name)}`,
          bytes: value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value)),
        };
      }
    }
  }
  database.close();
}

async function* readPostgres(url: string): AsyncGenerator<Leftover> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('CHECKPOINT');
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
  );
  for (const { name } of tables) {
    const { rows } = await client.query<Record<string, unknown>>(`SELECT * FROM ${name}`);
    for (const value of rows.flatMap((row) => Object.values(row))) {
      yield { place: `table: ${name}`, bytes: Buffer.isBuffer(value) ? value : Buffer.from(String(value)) };
    }
  }
  await client.end();
}

async function takeHeapSnapshot(sotto: RunningSotto, folder: string): Promise<Buffer> {
  const before = new Set(readdirSync(folder));
  process.kill(sotto.childPid('server/main.ts'), 'SIGUSR2');
  let path = '';
  let size = -1;
  await waitFor(
    () => {
      const name = readdirSync(folder).find((each) => each.endsWith('.heapsnapshot') && !before.has(each));
      if (name === undefined) return false;
      path = join(folder, name);
      const grown = statSync(path).size !== size;
      size = statSync(path).size;
      // A busy machine writes nothing for a moment: only its end says that it is whole.
      return !grown && size > 1_000_000 && lastByteOf(path, size) === '}'.charCodeAt(0);
    },
    60_000,
    () => 'no whole heap snapshot came',
  );
  return readFileSync(path);
}

function lastByteOf(path: string, size: number): number | undefined {
  const file = openSync(path, 'r');
  try {
    const last = Buffer.alloc(1);
    return readSync(file, last, 0, 1, size - 1) === 1 ? last[0] : undefined;
  } finally {
    closeSync(file);
  }
}

function* filesUnder(folder: string, root = folder): Generator<[string, Buffer]> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path, root);
    else if (entry.isFile()) yield [relative(root, path), readFileSync(path)];
  }
}
