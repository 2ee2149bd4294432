import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { generateIdentityKeyPair } from '../../../crypto/evidence/key-statement.ts';
import { readServedLog } from '../../parts/evidence/modal/paper-log.ts';
import { TestRegistrar } from '../../parts/evidence/modal/test-registrar.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

type Commit = {
  readonly format: number;
  readonly size: number;
  readonly rootHash: string;
  readonly checkpoint: string;
};

/** REGISTRAR_COMMIT_URL names this: it keeps one root for a size, as a store with compare-and-set does. */
class Keeper {
  readonly commits: Commit[] = [];
  readonly roots = new Map<number, string>();
  /** Answered in place of a commit. */
  status: number | null = null;
  url = '';
  delayMs = 0;
  onCommit: (commit: Commit) => void = () => undefined;
  mostAtOnce = 0;
  #running = 0;

  async start(): Promise<this> {
    const server = createServer((request, response) => {
      void (async () => {
        const pieces: Buffer[] = [];
        for await (const piece of request) pieces.push(piece as Buffer);
        const commit = JSON.parse(Buffer.concat(pieces).toString()) as Commit;
        this.#running++;
        this.mostAtOnce = Math.max(this.mostAtOnce, this.#running);
        await new Promise((resolve) => setTimeout(resolve, this.delayMs));
        this.onCommit(commit);
        this.#running--;
        response.writeHead(this.status ?? this.#commit(commit)).end();
      })();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('No port.');
    this.url = `http://127.0.0.1:${address.port}/commit`;
    return this;
  }

  #commit(commit: Commit): number {
    if ((this.roots.get(commit.size) ?? commit.rootHash) !== commit.rootHash) return 409;
    this.roots.set(commit.size, commit.rootHash);
    this.commits.push(commit);
    return 204;
  }
}

async function start(keeper: Keeper, environment: Record<string, string> = {}): Promise<TestRegistrar> {
  const registrar = await TestRegistrar.start({ REGISTRAR_COMMIT_URL: keeper.url, ...environment });
  onTestFinished(() => registrar.stop());
  return registrar;
}

test('each checkpoint is with the keeper before anyone sees it', async () => {
  const keeper = await new Keeper().start();
  const registrar = await start(keeper);
  const { body } = await registrar.register();
  expect(keeper.commits.map(({ size }) => size)).toEqual([0, 1]);
  expect(keeper.commits[1]).toMatchObject({ format: 1, checkpoint: body.evidence.checkpoint });
  // Many at once: each in its turn.
  await Promise.all(Array.from({ length: 10 }, () => registrar.register()));
  expect(keeper.commits.map(({ size }) => size)).toEqual(Array.from({ length: 12 }, (_, size) => size));
  expect(await readServedLog(registrar.url)).toMatchObject({ size: 11 });
});

test('a copy of the folder that the keeper makes meanwhile is the state that it was asked about', async () => {
  const keeper = await new Keeper().start();
  const registrar = await start(keeper);
  const copies = await makeTemporaryFolder('keeper');
  onTestFinished(() => copies.remove());
  const found: number[] = [];
  keeper.delayMs = 20;
  keeper.onCommit = ({ size }) => {
    const copy = join(copies.path, String(size));
    cpSync(registrar.dataFolder, copy, { recursive: true });
    const file = new DatabaseSync(join(copy, 'registrar.sqlite'));
    found.push(Number(file.prepare('select max(size) as size from checkpoint').get()?.['size']));
    expect(file.prepare('select count(*) as entries from log_entry').get()?.['entries']).toBe(size);
    file.close();
  };
  const identity = generateIdentityKeyPair();
  expect((await registrar.register(identity)).status).toBe(200);
  const calls = [
    ...Array.from({ length: 6 }, () => registrar.register()),
    registrar.renew(identity),
    registrar.renew(identity),
  ];
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 200));
  expect(found).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(keeper.mostAtOnce).toBe(1);
});

test('while the keeper fails nothing is given out or shown; afterwards the key is renewed and all of it is there', async () => {
  const keeper = await new Keeper().start();
  const registrar = await start(keeper);
  await registrar.register();
  keeper.status = 500;
  const identity = generateIdentityKeyPair();
  expect(await registrar.register(identity)).toMatchObject({ status: 503, body: { error: 'log-unavailable' } });
  expect(await readServedLog(registrar.url)).toMatchObject({ size: 1 });
  keeper.status = null;
  expect((await registrar.renew(identity)).status).toBe(200);
  expect(await readServedLog(registrar.url)).toMatchObject({ size: 3 });
});

test('a keeper that knows another root ends the registrar: two logs of one name must not go on', async () => {
  const keeper = await new Keeper().start();
  const first = await start(keeper);
  await first.register();
  // A second one under the same keys, on data that lacks the first one's entry.
  const second = await start(keeper, { REGISTRAR_KEYS: first.keys });
  await expect(second.register()).rejects.toThrow('fetch failed');
  expect(second.printed).toContain('"event":"fork"');
  expect((await first.register()).status).toBe(200);
});

test('it does not start while the keeper cannot confirm the last checkpoint', async () => {
  const keeper = await new Keeper().start();
  keeper.status = 503;
  await expect(start(keeper)).rejects.toThrow('did not confirm the last checkpoint');
});
