import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readBundleGraph } from '../../../client/build/bundle-graph.ts';
import { checkWorkerEntry } from '../../../client/build/worker-entry.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

const page = `const address = new URL('vault-worker-a1.js', import.meta.url); new Worker(address, { type: 'module' });`;

/** Checks a build that has an entry, what the entry shares, and one more script. */
async function checkBuildWith(contents: string, name = 'assets/vault-sign-in-c3.js'): Promise<void> {
  await using folder = await makeTemporaryFolder('worker-entry');
  await mkdir(join(folder.path, 'assets'));
  const scripts = {
    'assets/index-d4.js': page,
    'assets/vault-worker-a1.js': `import { expose } from './vault-start-b2.js'; expose(() => import('./vault-sign-in-c3.js'));`,
    'assets/vault-start-b2.js': `export const expose = (vault) => vault; export const shared = {};`,
    [name]: contents,
  };
  for (const [path, text] of Object.entries(scripts)) await writeFile(join(folder.path, path), text);
  checkWorkerEntry(readBundleGraph(folder.path, Object.keys(scripts)));
}

test('checkWorkerEntry: accepts a build whose scripts share a chunk beside the entry', async () => {
  await expect(
    checkBuildWith(`import { shared } from './vault-start-b2.js'; export { shared };`),
  ).resolves.toBeUndefined();
});

test.each([
  ['imports', `import { shared } from './vault-worker-a1.js'; export { shared };`],
  ['imports for its effect', `import './vault-worker-a1.js';`],
  ['exports all of', `export * from './vault-worker-a1.js';`],
  ['exports from', `export { shared } from '../assets/vault-worker-a1.js';`],
  ['imports later on', `export const later = () => import('./vault-worker-a1.js');`],
  ['imports later on, by a template', 'export const later = () => import(`./vault-worker-a1.js`);'],
])('checkWorkerEntry: refuses a build in which a script %s the entry', async (_how, contents) => {
  await expect(checkBuildWith(contents)).rejects.toThrow(
    /^WebKit would start the vault twice: assets\/vault-sign-in-c3\.js import assets\/vault-worker-a1\.js\./,
  );
});

test('checkWorkerEntry: refuses a build in which it finds no entry, or two', async () => {
  expect(() => checkWorkerEntry({ 'assets/index-d4.js': { imports: [], dynamicImports: [] } })).toThrow(
    /^The build has 0/,
  );
  await expect(checkBuildWith('', 'assets/vault-worker-e5.js')).rejects.toThrow(/^The build has 2/);
});
