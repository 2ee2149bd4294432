import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const read = (file: string) => JSON.parse(readFileSync(resolve(file), 'utf8')) as Record<string, unknown>;

test('allowScripts names every package that has install scripts, and no other', () => {
  const locked = read('package-lock.json')['packages'] as Record<string, { readonly hasInstallScript?: boolean }>;
  const withScripts = Object.entries(locked)
    .filter(([path, { hasInstallScript }]) => path !== '' && hasInstallScript === true)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
  const reviewed = read('package.json')['allowScripts'] as Record<string, boolean>;
  expect(withScripts.length).toBeGreaterThan(0);
  expect(Object.keys(reviewed).toSorted()).toEqual([...new Set(withScripts)].toSorted());
});
