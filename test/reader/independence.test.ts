import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { expect, test } from 'vitest';

const folder = new URL('.', import.meta.url);
const importForm = /^(?:import |(?:import|export)\b[^;]*?from |.*\bimport\()'([^']+)'/gm;
/** The one folder that holds the reader against crypto/. */
const compares = 'beside-crypto/';
/** The reader may stand on these: itself, the vectors, and libraries that production does not seal with. */
const allowed =
  /^(?:test\/reader\/(?!beside-crypto\/)[a-z0-9/-]+\.ts|test\/vectors\/[a-z0-9.-]+\.json|node:(?:crypto|fs|path\/posix)|vitest|@noble\/ciphers\/chacha\.js|@noble\/post-quantum\/hybrid\.js|@scure\/bip39\/wordlists\/english\.js|@noble\/curves\/ed25519\.js)$/;

/** Each relative import as a path from the project's root. */
const importsOf = (name: string): string[] =>
  [...readFileSync(new URL(name, folder), 'utf8').matchAll(importForm)].map(([, specifier = '']) =>
    specifier.startsWith('.') ? join('test/reader', dirname(name), specifier) : specifier,
  );

test('reader: imports nothing of crypto/, except in the files that compare the two', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.startsWith(compares),
  );
  const forbidden = files.flatMap((name) =>
    importsOf(name)
      .filter((specifier) => !allowed.test(specifier))
      .map((specifier) => `${name}: ${specifier}`),
  );
  expect(files.length).toBeGreaterThan(30);
  expect(forbidden).toEqual([]);
  // The same look at a file that compares finds what it looks for.
  expect(importsOf(`${compares}items.test.ts`).filter((specifier) => !allowed.test(specifier))).toContain(
    'crypto/vault/item.ts',
  );
});
