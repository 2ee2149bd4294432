import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { buildClient } from '../../../client/build.ts';
import { readStamp, type BuildStamp } from '../../../client/build/build-stamp.ts';
import { listFiles, removeOtherFiles } from '../../../client/build/built-files.ts';
import { readBundleGraph, staticClosure } from '../../../client/build/bundle-graph.ts';
import { withProgress } from '../../../client/build/progress.ts';
import { measureBudget } from '../../../client/build/size-budget.ts';
import { checkWorkerEntry } from '../../../client/build/worker-entry.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

const dist = join(import.meta.dirname, '../../../client/dist');
let stamp: BuildStamp;
let names: string[];

beforeAll(async () => {
  await buildClient(() => undefined);
  stamp = readStamp()!;
  names = Object.keys(stamp.files);
});

describe('buildClient', () => {
  test('does nothing when nothing changed, and says so', async () => {
    const lines: string[] = [];
    await buildClient(() => undefined);
    stamp = readStamp()!;
    names = Object.keys(stamp.files);
    expect(await buildClient((line) => lines.push(line))).toBe('unchanged');
    expect(lines).toEqual([`client: unchanged (${stamp.version}, build ${stamp.build})`]);
  });

  test('the page holds no inline script or style and asks for nothing elsewhere', async () => {
    const html = await readFile(join(dist, 'index.html'), 'utf8');
    expect(html).not.toMatch(/<style|style=|\son[a-z]+=|<script(?![^>]*\ssrc=)/);
    const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
    expect(addresses.length).toBeGreaterThan(3);
    for (const address of addresses) expect(names).toContain(address.slice(1));
  });

  test('every text is there compressed, and opens to the same bytes', async () => {
    const texts = names.filter((name) => /\.(?:html|js|css|svg)$/.test(name));
    expect(texts.length).toBeGreaterThan(15);
    for (const name of texts) {
      const plain = await readFile(join(dist, name));
      expect(brotliDecompressSync(await readFile(join(dist, `${name}.br`))).equals(plain)).toBe(true);
      expect(gunzipSync(await readFile(join(dist, `${name}.gz`))).equals(plain)).toBe(true);
    }
  });

  test('is a production build, names itself, and carries nothing of the tests', async () => {
    const scripts = await Promise.all(
      names.filter((name) => name.endsWith('.js')).map((name) => readFile(join(dist, name), 'utf8')),
    );
    const all = scripts.join('\n');
    expect(all).toContain(stamp.build);
    expect(all).not.toMatch(/scripted-status/);
    expect(all).not.toContain('Download the React DevTools');
  });

  test('buildClient: code that seals and opens is in the Worker alone', () => {
    const graph = readBundleGraph(dist, names);
    const reached = new Set<string>();
    const queue = names.filter((name) => name.startsWith('assets/index-'));
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      for (const file of staticClosure(graph, [name])) {
        if (!reached.has(file)) queue.push(...(graph[file]?.dynamicImports ?? []));
        reached.add(file);
      }
    }
    expect([...reached].filter((name) => name.includes('chat-page'))).toHaveLength(1);
    expect([...reached].filter((name) => /vault|sodium|opaque|hpke/.test(name))).toEqual([]);
    expect(names.filter((name) => /vault-worker|vault-opaque|vault-libsodium/.test(name))).toHaveLength(3);
  });

  test('no script imports the entry of the Worker, which has one to share its code with the others', () => {
    const graph = readBundleGraph(dist, names);
    const [entry] = names.filter((name) => name.startsWith('assets/vault-worker-'));
    expect(() => checkWorkerEntry(graph)).not.toThrow();
    expect(staticClosure(graph, [entry!]).length).toBeGreaterThan(1);
    const shared = Object.values(graph).filter(({ imports }) => imports.some((name) => name.includes('/vault-start-')));
    expect(shared.length).toBeGreaterThan(5);
  });

  test('first loads are within their budget', () => {
    for (const { name, bytes, maximumBytes } of measureBudget()) expect(bytes, name).toBeLessThanOrEqual(maximumBytes);
    expect(measureBudget()[0]!.bytes).toBeGreaterThan(50_000);
  });
});

test('withProgress: says every two seconds how long the work takes, and nothing once it is over', async () => {
  vi.useFakeTimers();
  try {
    const said: number[] = [];
    const say = (seconds: number) => said.push(seconds);
    await withProgress(say, () => vi.advanceTimersByTimeAsync(1_999));
    expect(said).toEqual([]);
    const failed = withProgress(say, async () => {
      await vi.advanceTimersByTimeAsync(5_000);
      throw new Error('It ended badly.');
    });
    await expect(failed).rejects.toThrow('badly');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(said).toEqual([2, 4]);
  } finally {
    vi.useRealTimers();
  }
});

test('removeOtherFiles: what is kept stays with its compressed copies, the rest goes', async () => {
  await using folder = await makeTemporaryFolder('built-files');
  await mkdir(join(folder.path, 'assets'));
  const written = [
    'index.html',
    'index.html.br',
    'assets/a-1.js',
    'assets/a-1.js.gz',
    'assets/b-2.js',
    'assets/b-2.js.br',
  ];
  for (const name of written) await writeFile(join(folder.path, name), name);
  await removeOtherFiles(folder.path, new Set(['index.html', 'assets/a-1.js']));
  expect((await listFiles(folder.path)).toSorted()).toEqual([
    'assets/a-1.js',
    'assets/a-1.js.gz',
    'index.html',
    'index.html.br',
  ]);
});
