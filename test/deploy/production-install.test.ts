import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

type Package = { readonly name?: string; readonly dev?: boolean };

test('npm ci --omit=dev: brings no compiler, which other packages would take along if it had its own name', () => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Package> };
  const packages = Object.entries(lock.packages).map(([path, { dev, name }]) => ({
    name: name ?? path.replace(/^.*node_modules\//, ''),
    isDev: dev === true,
  }));
  const compilers = packages.filter(({ name }) => name === 'typescript');
  expect(compilers.length).toBeGreaterThan(0);
  expect(compilers.filter(({ isDev }) => !isDev)).toEqual([]);
  // The same list knows what a relay runs on.
  expect(packages.filter(({ isDev }) => !isDev).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['hono', 'pg']),
  );
});
