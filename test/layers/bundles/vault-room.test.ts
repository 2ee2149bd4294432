import { existsSync, globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';
import { runCommand } from '../../running/run-command.ts';
import { floors } from '../house-rules.ts';
import { projectRoot } from '../source-files.ts';
import { importsOfBundle } from './bundle-modules.ts';

/** Names of a page, of Node and of a Worker that the vault is to be handed by its surroundings. */
const refused = [
  'document.title;',
  "window.localStorage.getItem('x');",
  "indexedDB.open('x');",
  "new BroadcastChannel('x');",
  'navigator.locks;',
  'setTimeout(() => undefined, 1);',
  'performance.now();',
  'console.log(1);',
  "new Worker('x');",
  'process.env;',
  "Buffer.from('x');",
  "import 'node:fs';",
  "import { useState } from 'react'; useState;",
  "fetch('x', { credentials: 'include' });",
  "crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, []);",
];
const accepted = [
  'new AbortController().signal.aborted;',
  "void fetch('x', { credentials: 'same-origin' });",
  "void fetch('x').then(({ body }) => body?.getReader());",
  "structuredClone('x');",
  "crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']);",
  'new TextDecoder().decode(new Uint8Array(1));',
];

/** Compiles each piece as a file of the vault. @returns the pieces that do not compile. */
async function findRefused(pieces: readonly string[]): Promise<string[]> {
  await using folder = await makeTemporaryFolder('vault-room');
  const config = {
    extends: join(projectRoot, 'client/vault/tsconfig.json'),
    compilerOptions: { incremental: false, noUnusedLocals: false },
    files: ['crypto/platform.d.ts', 'client/vault/platform.d.ts'].map((file) => join(projectRoot, file)),
    include: ['*.ts'],
  };
  await writeFile(join(folder.path, 'tsconfig.json'), JSON.stringify(config));
  await writeFile(join(folder.path, 'package.json'), '{ "type": "module" }');
  await Promise.all(pieces.map((piece, n) => writeFile(join(folder.path, `piece-${n}.ts`), `${piece}\nexport {};\n`)));
  const { output } = await runCommand(['tsc', '-p', folder.path], {
    cwd: projectRoot,
    timeoutMs: 120_000,
    output: 'collect',
  });
  const numbers = new Set([...output.matchAll(/piece-(\d+)\.ts\(/g)].map(([, number]) => Number(number)));
  return pieces.filter((_piece, n) => numbers.has(n));
}

describe('client/vault', () => {
  test('compiles with no name of a page, of Node or of a Worker', async () => {
    expect(await findRefused([...accepted, ...refused])).toEqual(refused);
  });
});

/** A file of the vault that declares a feature. */
const featureOf = (members: string) =>
  `import { feature } from '${join(projectRoot, 'client/vault/features/feature.ts')}'; feature({ ${members} });`;
/** They reach the page as something else, or are told as one text whatever is in them. */
const unclonable = [
  'new Map([[1, 2]])',
  'new Set([1])',
  '() => 1',
  '10n',
  "Symbol('a')",
  '{ a: [() => 1] }',
  'undefined',
];
const plain = ["'a'", 'null', '[1, { a: true, b: [null] }]', '{ a: undefined }'];

test('a feature tells and answers plain data, and nothing else compiles', async () => {
  const views = [...unclonable, 'new Uint8Array(1)'].map((value) => featureOf(`views: { a: () => (${value}) }`));
  const command = (value: string) => featureOf(`commands: () => ({ a: async () => (${value}) })`);
  const commands = unclonable.filter((value) => value !== 'undefined').map(command);
  const kept = [...plain.map((value) => featureOf(`views: { a: () => (${value}) }`)), ...plain.map(command)];
  kept.push(command('undefined'), command('new Uint8Array(1)'));
  expect(await findRefused([...kept, ...views, ...commands])).toEqual([...views, ...commands]);
});

test('client/vault, bundled with its packages, asks for no module of Node', async () => {
  expect(await importsOfBundle('client/vault/create-vault.ts')).toEqual([]);
  // The test can see one that a package brings, and one that is loaded later.
  const files = {
    'client/vault/a.ts': `import { hash } from '../../node_modules/hash/main.js'; console.log(hash());`,
    'node_modules/hash/main.js': `import './entropy.js'; export const hash = () => import('node:fs');`,
    'node_modules/hash/entropy.js': `import { randomBytes } from 'node:crypto'; console.log(randomBytes(1));`,
  };
  const found = await importsOfBundle('client/vault/a.ts', new Map(Object.entries(files)));
  expect(found.toSorted()).toEqual(['node:crypto', 'node:fs']);
});

test('client/vault/README.md: names the floors in their order, and files that are there', () => {
  const text = readFileSync(join(projectRoot, 'client/vault/README.md'), 'utf8');
  const named = [...text.matchAll(/`([a-z0-9-]+(?:\/[a-z0-9-]+)*\.ts)`/g)].map(([, path = '']) => path);
  const places = ['client/vault', 'client/vault/store', ''];
  const isThere = (path: string) => places.some((place) => existsSync(join(projectRoot, place, path)));
  expect(named.filter((path) => !isThere(path))).toEqual([]);
  expect(named.length).toBeGreaterThan(10);
  expect(text.replaceAll('\n', ' ')).toContain(`From the ground: ${floors['client/vault']?.join(', ')}.`);
});

test('tsc -b: compiles every room of the project', () => {
  const root = JSON.parse(readFileSync(join(projectRoot, 'tsconfig.json'), 'utf8')) as {
    references: { path: string }[];
  };
  const listed = root.references.map(({ path }) => (path.endsWith('.json') ? path : posix.join(path, 'tsconfig.json')));
  const exclude = (path: string) => path === 'node_modules';
  const rooms = globSync(['*/tsconfig*.json', '*/*/tsconfig*.json'], { cwd: projectRoot, exclude });
  expect(listed.toSorted()).toEqual(rooms.toSorted());
});
