import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { generateIdentityKeyPair } from '../../crypto/evidence/key-statement.ts';
import { readServedLog } from '../parts/evidence/modal/paper-log.ts';
import { TestRegistrar } from '../parts/evidence/modal/test-registrar.ts';
import { leafHash, treeHash } from '../parts/evidence/modal/paper-log.ts';

const projectFolder = resolve(import.meta.dirname, '../..');

async function start(): Promise<TestRegistrar> {
  const registrar = await TestRegistrar.start();
  onTestFinished(() => registrar.stop());
  return registrar;
}

/** Runs it once more on other settings. @returns exit code and what it printed. */
async function runOnce(environment: Record<string, string>) {
  const child = spawn(process.execPath, ['registrar/main.ts'], { cwd: projectFolder, env: environment });
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, printed };
}

test('killed again and again while it registers: what was given out is in the log, and no size has two roots', async () => {
  const registrar = await start();
  const given: { entry: Buffer; leafIndex: number }[] = [];
  const roots = new Map<number, string>();
  const seen = (note: string) => {
    const [, size = '', root = ''] = note.split('\n');
    expect(roots.get(Number(size)) ?? root).toBe(root);
    roots.set(Number(size), root);
  };
  for (let round = 0; round < 5; round++) {
    let isOver = false;
    const worker = async () => {
      while (!isOver) {
        const answer = await registrar.register(generateIdentityKeyPair()).catch(() => null);
        if (answer?.status !== 200) return;
        const { evidence } = answer.body;
        seen(evidence.checkpoint);
        const bytes = (text: string) => Buffer.from(text, 'base64url');
        const entry = Buffer.concat([bytes(evidence.signature), bytes(evidence.statement)]);
        given.push({ entry, leafIndex: evidence.leafIndex });
      }
    };
    const watcher = async () => {
      while (!isOver) {
        const note = await fetch(`${registrar.url}/checkpoint`).then(
          (answer) => answer.text(),
          () => null,
        );
        if (note === null) return;
        seen(note);
      }
    };
    const running = Promise.all([worker(), worker(), worker(), watcher()]);
    const before = given.length;
    while (given.length < before + 3 + round) await new Promise((resolve) => setTimeout(resolve, 5));
    await registrar.kill();
    isOver = true;
    await running;
    await registrar.run();
  }
  const log = await readServedLog(registrar.url);
  expect(given.length).toBeGreaterThanOrEqual(25);
  expect(log.size).toBeGreaterThanOrEqual(given.length);
  for (const { entry, leafIndex } of given) expect(log.entries[leafIndex]!.equals(entry)).toBe(true);
  // Each checkpoint that anyone ever saw is a beginning of this log.
  const leaves = log.entries.map(leafHash);
  for (const [size, root] of roots) expect(treeHash(leaves.slice(0, size)).toString('base64')).toBe(root);
});

test('a second process on the same data is refused with one sentence; the first goes on', async () => {
  const registrar = await start();
  const { code, printed } = await runOnce(registrar.environment);
  expect([code, printed]).toEqual([
    1,
    `A registrar is already running on ${registrar.dataFolder}: stop it first, or choose another REGISTRAR_DATA_DIR.\n`,
  ]);
  expect((await registrar.register()).status).toBe(200);
});

test('another name or other keys on the same data are refused: it would be another log', async () => {
  const registrar = await start();
  await registrar.kill();
  const others = await TestRegistrar.start();
  onTestFinished(() => others.stop());
  const changes: Record<string, string>[] = [
    { REGISTRAR_LOG_ORIGIN: 'registrar.test/log-2' },
    { REGISTRAR_KEYS: others.keys },
  ];
  for (const change of changes) {
    const { code, printed } = await runOnce({ ...registrar.environment, ...change });
    expect(code).toBe(1);
    expect(printed).toContain('belongs to a log of another name or other keys');
  }
  await registrar.run();
  expect((await registrar.register()).status).toBe(200);
});
