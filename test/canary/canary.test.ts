import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../parts/browser.ts';
import {
  ask,
  conversationLinks,
  createAccount,
  finishedAnswer,
  inventAccount,
  messageBox,
  signIn,
} from '../parts/person.ts';
import { type Postgres, startPostgres } from '../parts/postgres.ts';
import { type RecordingProxy, startRecordingProxy } from '../parts/recording-proxy.ts';
import { type RunningSotto, startSotto, waitFor } from '../parts/running-sotto.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../parts/temporary-folder.ts';
import { CanaryFinder } from './find-canary.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

describe.each(['sqlite', 'postgres'] as const)('what a person typed is nowhere but in the browser (%s)', (storage) => {
  let postgres: Postgres | undefined;
  let databaseUrl: string | undefined;
  let sotto: RunningSotto;
  let proxy: RecordingProxy;
  let snapshots: TemporaryFolder;
  const account = inventAccount();
  const canaries: Record<string, string> = {
    question: 'quartz umbrella forbearance 4471',
    title: 'Marmalade treaty 9902',
    draft: 'unsent walrus correspondence 3318',
    'user name': account.userName,
    password: account.password,
  };

  beforeAll(async () => {
    snapshots = await makeTemporaryFolder('snapshots');
    const environment: Record<string, string> = {
      NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${snapshots.path}`,
      LOG_LEVEL: 'debug',
    };
    if (storage === 'postgres') {
      postgres = await startPostgres();
      databaseUrl = await postgres.createDatabase();
      environment['DATABASE_URL'] = databaseUrl;
    }
    sotto = await startSotto({ environment });
    proxy = await startRecordingProxy(Number(new URL(sotto.url).port));

    const context = await browser.newContext();
    const page = await context.newPage();
    const { recoveryWords } = await createAccount(page, proxy.url, account);
    canaries['recovery phrase'] = recoveryWords.join(' ');
    await ask(page, `Please repeat: ${canaries['question']}`);
    // The rehearsal engine repeats the beginning of a question, so the answer carries the canary as well.
    await finishedAnswer(page);
    await page
      .getByRole('navigation', { name: 'Conversations' })
      .getByRole('listitem')
      .first()
      .getByRole('button')
      .click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    const box = page.getByRole('textbox', { name: /title|name/i });
    await box.fill(canaries['title'] ?? '');
    await box.press('Enter');
    await page.getByRole('link', { name: canaries['title'] ?? '' }).waitFor();
    await messageBox(page).fill(canaries['draft'] ?? '');
    await page.waitForTimeout(1_500);
    // Long enough for the compact answer to be written.
    await waitFor(
      () => sentTo('/v1/items') > 0,
      30_000,
      () => 'nothing was written',
    );
    await page.waitForTimeout(10_000);
    await context.close();
    const second = await browser.newContext();
    const secondPage = await second.newPage();
    await signIn(secondPage, proxy.url, account);
    await conversationLinks(secondPage).first().click();
    await finishedAnswer(secondPage);
    await second.close();
  });

  afterAll(async () => {
    await proxy.stop();
    await sotto.stop();
    await postgres?.stop();
    await snapshots.remove();
  });

  function sentTo(path: string): number {
    return proxy.recorded().requests.filter((bytes) => bytes.includes(`POST ${path}`)).length;
  }

  /** Everything that the relay's operator could lay hands on, searched; and what was searched. */
  async function searchEverything(): Promise<CanaryFinder & { places: Record<string, number> }> {
    const finder = Object.assign(new CanaryFinder(canaries), { places: {} as Record<string, number> });
    const search = (place: string, bytes: Buffer) => {
      finder.places[place.split(':')[0] ?? place] = (finder.places[place.split(':')[0] ?? place] ?? 0) + bytes.length;
      finder.search(place, bytes);
    };
    const { requests, responses } = proxy.recorded();
    requests.forEach((bytes) => search('requests', bytes));
    responses.forEach((bytes) => search('responses', bytes));
    search('logs', Buffer.from(sotto.output()));
    for (const [path, bytes] of filesUnder(sotto.dataFolder)) search(`data folder: ${path}`, bytes);
    if (postgres !== undefined && databaseUrl !== undefined) {
      const client = new pg.Client({ connectionString: databaseUrl });
      await client.connect();
      await client.query('CHECKPOINT');
      const { rows: tables } = await client.query<{ name: string }>(
        `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
      );
      for (const { name } of tables) {
        const { rows } = await client.query<Record<string, unknown>>(`SELECT * FROM ${name}`);
        for (const value of rows.flatMap((row) => Object.values(row))) {
          search(`table: ${name}`, Buffer.isBuffer(value) ? value : Buffer.from(String(value)));
        }
      }
      await client.end();
      for (const [path, bytes] of filesUnder(postgres.dataFolder)) search(`postgres files: ${path}`, bytes);
    } else {
      const database = new DatabaseSync(databaseFile(), { readOnly: true });
      for (const { name } of database.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all()) {
        for (const row of database.prepare(`SELECT * FROM "${String(name)}"`).all()) {
          for (const value of Object.values(row)) {
            search(
              `table: ${String(name)}`,
              value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value)),
            );
          }
        }
      }
      database.close();
    }
    search('heap of the relay', await takeHeapSnapshot());
    return finder;
  }

  function databaseFile(): string {
    const files = [...filesUnder(sotto.dataFolder)].filter(([, bytes]) =>
      bytes.subarray(0, 15).equals(Buffer.from('SQLite format 3')),
    );
    const largest = files.toSorted(([, a], [, b]) => b.length - a.length)[0];
    return join(sotto.dataFolder, largest?.[0] ?? '');
  }

  async function takeHeapSnapshot(): Promise<Buffer> {
    const before = new Set(readdirSync(snapshots.path));
    process.kill(sotto.childPid('server/main.ts'), 'SIGUSR2');
    let path = '';
    let size = -1;
    await waitFor(
      () => {
        const name = readdirSync(snapshots.path).find((each) => each.endsWith('.heapsnapshot') && !before.has(each));
        if (name === undefined) return false;
        path = join(snapshots.path, name);
        const grown = statSync(path).size !== size;
        size = statSync(path).size;
        return !grown && size > 1_000_000;
      },
      60_000,
      () => 'no heap snapshot came',
    );
    return readFileSync(path);
  }

  it('no canary in database, WAL, logs, requests, responses or heap (M42)', async () => {
    const finder = await searchEverything();
    expect(finder.findings).toEqual([]);
    // The search had something to find in: each place holds what the product surely left there.
    const places = ['requests', 'responses', 'logs', 'data folder', 'table', 'heap of the relay'];
    for (const place of storage === 'postgres' ? [...places, 'postgres files'] : places) {
      expect(finder.places[place], place).toBeGreaterThan(100);
    }
    const { requests } = proxy.recorded();
    for (const path of ['/v1/sign-up/finish', '/v1/turns', '/v1/items']) {
      expect(
        requests.some((bytes) => bytes.includes(`POST ${path}`)),
        path,
      ).toBe(true);
    }
  });

  it('the same search finds a leak planted in the database, on the wire and in the heap', async () => {
    const leak = canaries['question'] ?? '';
    if (databaseUrl === undefined) {
      const database = new DatabaseSync(databaseFile());
      database.exec('CREATE TABLE planted (words BLOB)');
      database.prepare('INSERT INTO planted VALUES (?)').run(Buffer.from(Buffer.from(leak).toString('hex')));
      database.close();
    } else {
      const client = new pg.Client({ connectionString: databaseUrl });
      await client.connect();
      await client.query('CREATE TABLE planted (words bytea)');
      await client.query('INSERT INTO planted VALUES ($1)', [Buffer.from(leak, 'utf16le')]);
      await client.end();
    }
    // A request that is not finished keeps its headers in the relay's memory while the snapshot is taken.
    const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
    socket.write(
      `POST /v1/sign-in/start HTTP/1.1\r\nHost: ${new URL(proxy.url).host}\r\nContent-Type: application/json\r\n` +
        `X-Planted: ${leak}\r\nContent-Length: 100\r\n\r\n{`,
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    const finder = await searchEverything();
    socket.destroy();
    const places = new Set(finder.findings.map(({ place }) => place.split(/[:(]/)[0]?.trim()));
    expect([...places]).toEqual(expect.arrayContaining(['requests', 'table', 'heap of the relay']));
  });
});

function* filesUnder(folder: string, root = folder): Generator<[string, Buffer]> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path, root);
    else if (entry.isFile()) yield [relative(root, path), readFileSync(path)];
  }
}
