import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';
import { checkSizeBudget, measureFirstLoad } from './size-budget.ts';

test('measureFirstLoad: counts what index.html names, and nothing that is loaded on demand', async () => {
  await using folder = await makeTemporaryFolder('dist');
  mkdirSync(join(folder.path, 'assets'));
  for (const name of ['main.js', 'preloaded.js', 'later.js', 'main.css']) {
    writeFileSync(join(folder.path, 'assets', name), `/* ${name} */`.repeat(50));
  }
  writeFileSync(
    join(folder.path, 'index.html'),
    `<script type="module" src="/assets/main.js"></script><link rel="modulepreload" href="/assets/preloaded.js">
     <link rel="stylesheet" href="/assets/main.css"><link rel="icon" href="/icon.svg">`,
  );
  const sizes = measureFirstLoad(folder.path);
  expect(sizes.files.map((line) => line.split(' ')[1])).toEqual([
    'assets/main.js',
    'assets/preloaded.js',
    'assets/main.css',
  ]);
  expect(sizes.js).toBeGreaterThan(sizes.css);
  expect(sizes.css).toBeGreaterThan(0);
});

test.each([
  [1000, true],
  [300_000, false],
])('checkSizeBudget: %i bytes of script that do not compress: passed is %s', async (length, isPassed) => {
  await using folder = await makeTemporaryFolder('client');
  mkdirSync(join(folder.path, 'client'));
  // Stands in for the client's build: same place, same products.
  const build = `import { mkdirSync, writeFileSync } from 'node:fs';
    import { randomBytes } from 'node:crypto';
    mkdirSync('client/dist');
    writeFileSync('client/dist/index.html', '<script src="/main.js"></script>');
    writeFileSync('client/dist/main.js', randomBytes(${length}));`;
  writeFileSync(join(folder.path, 'client', 'build.ts'), build);
  writeFileSync(join(folder.path, 'package.json'), '{"type":"module"}');
  expect(await checkSizeBudget(folder.path)).toMatchObject({ isPassed });
});

test('checkSizeBudget: a build that fails is a failure', async () => {
  await using folder = await makeTemporaryFolder('client');
  mkdirSync(join(folder.path, 'client'));
  writeFileSync(join(folder.path, 'client', 'build.ts'), `throw new Error('no such thing');`);
  expect(await checkSizeBudget(folder.path)).toMatchObject({
    isPassed: false,
    output: expect.stringContaining('no such thing'),
  });
});
