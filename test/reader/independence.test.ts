import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const folder = new URL('.', import.meta.url);
const importForm = /^(?:import|export)\b[^;]*?from '([^']+)'|\bimport\('([^']+)'\)/gm;
/** The reader may stand on these: itself, the vectors, and libraries that production does not seal with. */
const allowed =
  /^(?:\.\/(?!cross-)[a-z0-9-]+\.ts|\.\.\/vectors\/[a-z0-9.-]+\.json|node:(?:crypto|fs)|vitest|@noble\/ciphers\/chacha\.js|@noble\/post-quantum\/hybrid\.js|@scure\/bip39\/wordlists\/english\.js|@noble\/curves\/ed25519\.js)$/;

const importsOf = (name: string): string[] =>
  [...readFileSync(new URL(name, folder), 'utf8').matchAll(importForm)].map((match) => match[1] ?? match[2] ?? '');

test('reader: imports nothing of crypto/, except in the files that compare the two', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.startsWith('cross-'));
  const forbidden = files.flatMap((name) =>
    importsOf(name)
      .filter((specifier) => !allowed.test(specifier))
      .map((specifier) => `${name}: ${specifier}`),
  );
  expect(files.length).toBeGreaterThan(20);
  expect(forbidden).toEqual([]);
  // The same look at a file that compares finds what it looks for.
  expect(importsOf('cross-items.test.ts').filter((specifier) => !allowed.test(specifier))).toContain(
    '../../crypto/vault/item.ts',
  );
});
