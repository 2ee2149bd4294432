import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { checkInstallSize, measureInstall } from './install-size.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../parts/machine/temporary-folder.ts';

/** A lock file with every mark that npm writes, and what it installs on this machine. */
const packages = {
  '': {},
  'node_modules/relay': {},
  'node_modules/relay/node_modules/inner': {},
  'node_modules/this-platform': { optional: true },
  'node_modules/other-platform': { optional: true },
  'node_modules/compiler': { devOptional: true },
  'node_modules/tester': { dev: true },
  'node_modules/tester/node_modules/inner': { dev: true },
  'node_modules/linked': { dev: true, link: true },
  linked: { dev: true },
};

/** Files of a given length, which take no space on the disk. */
async function makeTree(lengths: Readonly<Record<string, number>>): Promise<TemporaryFolder> {
  const folder = await makeTemporaryFolder('install');
  writeFileSync(join(folder.path, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }));
  for (const [name, length] of Object.entries(lengths)) {
    const path = join(folder.path, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
    truncateSync(path, length);
  }
  return folder;
}

const whole = {
  'relay/lib/main.js': 1,
  'relay/node_modules/inner/main.js': 20,
  'this-platform/binary': 300,
  'compiler/main.js': 4_000,
  'tester/main.js': 50_000,
  'tester/node_modules/inner/main.js': 600_000,
};

test('measureInstall: counts everything once, and of production what `--omit=dev` keeps', async () => {
  await using tree = await makeTree({ ...whole, '.cache/of-a-tool': 7_000_000, '.package-lock.json': 80_000_000 });
  mkdirSync(join(tree.path, 'linked'));
  writeFileSync(join(tree.path, 'linked/main.js'), 'not in node_modules');
  symlinkSync('../linked', join(tree.path, 'node_modules/linked'));
  expect(measureInstall(tree.path)).toEqual({
    everything: 654_321 + '../linked'.length,
    production: 4_321,
    missing: [],
  });
});

test.each([
  ['both at their limits', true, { 'relay/more': 200_000_000 - 4_321, 'tester/more': 550_000_000 - 650_000 }],
  ['production a byte over', false, { 'relay/more': 200_000_000 - 4_320 }],
  ['everything a byte over', false, { 'tester/more': 750_000_000 - 654_320 }],
  ['a package that no lock file names', false, { 'foreign/more': 750_000_000 }],
])('checkInstallSize: %s: passed is %s', async (_case, isPassed, more) => {
  await using tree = await makeTree({ ...whole, ...more });
  expect(checkInstallSize(tree.path)).toMatchObject({ isPassed, output: '' });
});

test('checkInstallSize: a production package that is missing makes the sizes worthless; one of another platform does not', async () => {
  await using tree = await makeTree({ 'this-platform/binary': 300, 'compiler/main.js': 4_000 });
  expect(checkInstallSize(tree.path)).toEqual({
    isPassed: false,
    note: 'everything 1 MB of 750 MB, production 1 MB of 200 MB',
    output: 'not installed: node_modules/relay\nnot installed: node_modules/relay/node_modules/inner',
  });
});
