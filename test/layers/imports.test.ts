import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findViolations } from './find-violations.ts';
import { importCases } from './import-cases.ts';
import { readFileShape } from './read-imports.ts';
import { projectRoot, readSourceFiles } from './source-files.ts';

const check = (files: Record<string, string>): string[] => findViolations(new Map(Object.entries(files)));

test('the project follows its own layers', () => {
  expect(findViolations(readSourceFiles())).toEqual([]);
});

test('every relative import names a file that is there', () => {
  const missing = [...readSourceFiles()].flatMap(([file, text]) =>
    readFileShape(file, text)
      .imports.filter(({ path }) => path !== null && !existsSync(join(projectRoot, path)))
      .map(({ specifier }) => `${file}: ${specifier}`),
  );
  expect(missing).toEqual([]);
});

describe('findViolations', () => {
  test.each(importCases)('%s: refuses %s', (file, refused, finding, accepted) => {
    expect(check({ [file]: refused })).toEqual([expect.stringContaining(finding)]);
    expect(check({ [file]: accepted })).toEqual([]);
  });

  test('reports a cycle of files, and not one of types', () => {
    const back = (statement: string) => check({ 'server/live/a.ts': `import './b.ts'`, 'server/live/b.ts': statement });
    expect(back(`import { a } from './a.ts'`)).toEqual([expect.stringContaining('imports itself through')]);
    expect(back(`import type { A } from './a.ts'`)).toEqual([]);
  });

  test('reports a cycle of folders without a cycle of files', () => {
    const model = { 'enclave-worker/model/a.ts': `import '../queue/a.ts'`, 'enclave-worker/model/b.ts': '' };
    const queue = (b: string) => ({ ...model, 'enclave-worker/queue/a.ts': '', 'enclave-worker/queue/b.ts': b });
    expect(check(queue(`import '../model/b.ts'`))).toEqual([expect.stringContaining('this folder imports itself')]);
    expect(check(queue(''))).toEqual([]);
  });

  test.each([
    ['beside each other, two floors down', `import '../sqlite/sqlite.ts'`],
    ['by a type alone', `import type { A } from '../sqlite/sqlite.ts'`],
    ['of a folder and one within it', `import '../open-database.ts'`],
  ])('reports a cycle of folders %s', (_name, back) => {
    const schema = (text: string) => ({
      'server/storage/open-database.ts': `import './sqlite/space.ts'`,
      'server/storage/sqlite/sqlite.ts': `import '../tables/database.ts'`,
      'server/storage/sqlite/space.ts': `import '../tables/database.ts'`,
      'server/storage/tables/database.ts': '',
      'server/storage/tables/schema.ts': text,
    });
    expect(check(schema(back))).toEqual([expect.stringContaining('this folder imports itself')]);
    expect(check(schema(`import './database.ts'`))).toEqual([]);
  });

  test('reports a cycle of folders that is one only as seen from above', () => {
    const pools = {
      'server/pools/modal/modal-pool.ts': `import '../../live/feed/feed.ts'`,
      'server/pools/static/static-pool.ts': '',
      'server/live/feed/feed.ts': '',
    };
    const circle = { ...pools, 'server/live/clients/client.ts': `import '../../pools/static/static-pool.ts'` };
    expect(check(circle)).toContainEqual(expect.stringContaining('this folder imports itself'));
    expect(check(pools)).not.toContainEqual(expect.stringContaining('this folder imports itself'));
  });

  test.each([
    ['server/utils.ts', 'says nothing', 'process/event-log.ts'],
    ['client/page/features/chat/index.tsx', 'says nothing', 'client/page/features/chat/chat.tsx'],
    ['client/page/features/composer/Composer.tsx', 'kebab-case', 'client/page/features/composer/composer.tsx'],
  ])('refuses the name %s', (refused, finding, accepted) => {
    expect(check({ [refused]: '' })).toEqual([expect.stringContaining(finding)]);
    expect(check({ [accepted]: '' })).toEqual([]);
  });

  test('refuses default exports outside of configuration', () => {
    expect(check({ 'process/event-log.ts': 'export default 1' })).toEqual([
      expect.stringContaining('no default exports'),
    ]);
    expect(check({ 'client/vite.config.ts': 'export default 1' })).toEqual([]);
  });

  test.each([
    ['const id = record.subarray(5, 21);', 'const id = recordTurnId(record);'],
    ['if (record[4] === 2) take(record);', `if (recordKind(record) === 'frame') take(record);`],
    ['const hash = header.slice(99);', 'const hash = requestHashOf(header);'],
    ['const number = record.readUInt32BE(37);', 'const number = recordNumber(record);'],
  ])('refuses a field that is read by its offset outside of crypto/: %s', (refused, accepted) => {
    expect(check({ 'server/pools/a.ts': refused })).toEqual([expect.stringContaining('read by its offset')]);
    expect(check({ 'server/pools/a.ts': accepted, 'crypto/protocol/messages/a.ts': refused })).toEqual([]);
  });

  test.each([
    ['declare const document: { readonly title: string };', 'export const a = 1;'],
    ['declare global { const localStorage: string }', 'export const a = 1;'],
    ['declare function setTimeout(run: () => void): number;', 'function setTimer(run: () => void) { run(); }'],
    ['(globalThis as unknown as { document: unknown }).document;', 'crypto.getRandomValues(new Uint8Array(1));'],
  ])('refuses a room without surroundings that takes a name from outside: %s', (refused, accepted) => {
    const finding = [expect.stringContaining('takes nothing from outside')];
    for (const path of ['crypto/vault/a.ts', 'client/vault/store/a.ts']) {
      expect(check({ [path]: refused })).toEqual(finding);
      expect(check({ [path]: accepted })).toEqual([]);
    }
    expect(check({ 'client/worker/a.ts': refused })).toEqual([]);
  });

  test('refuses names of surroundings outside of the two files that list them', () => {
    const names = 'declare function fetch(url: string): Promise<unknown>;';
    expect(check({ 'client/vault/store/dom.d.ts': names })).toEqual([expect.stringContaining('only platform.d.ts')]);
    expect(check({ 'client/vault/platform.d.ts': names, 'crypto/platform.d.ts': names })).toEqual([]);
  });

  test.each(['/// <reference lib="dom" />', '///<reference types="node" />', '// @ts-nocheck', '/* @ts-ignore */'])(
    'refuses a comment that changes what the compiler checks: %s',
    (comment) => {
      const finding = [expect.stringContaining('changes what the compiler checks')];
      expect(check({ 'server/live/a.ts': `// A word.\n  ${comment}\nexport const a = 1;` })).toEqual(finding);
      expect(check({ 'server/live/a.ts': `// No ${comment.replaceAll('/', '')} here.` })).toEqual([]);
    },
  );

  test.each(['mts', 'cts', 'js', 'mjs', 'jsx'])('refuses a file of code that ends in .%s', (ending) => {
    expect(check({ [`client/vault/store/a.${ending}`]: '' })).toEqual([expect.stringContaining('.ts or .tsx')]);
    expect(check({ 'client/vault/store/a.ts': '' })).toEqual([]);
  });

  test('refuses 301 lines, accepts 300', () => {
    expect(check({ 'process/event-log.ts': '//\n'.repeat(301) })).toEqual([expect.stringContaining('301 lines')]);
    expect(check({ 'process/event-log.ts': '//\n'.repeat(300) })).toEqual([]);
  });
});
