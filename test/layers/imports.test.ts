import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findViolations } from './find-violations.ts';
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

/** Each: a file, its text, a piece of the finding; and the twin that is accepted. */
const importCases: readonly [file: string, refused: string, finding: string, accepted: string][] = [
  [
    'crypto/vault/item.ts',
    `import '../../server/relay.ts'`,
    'crypto/ may not import server/',
    `import '../primitives/aead.ts'`,
  ],
  ['crypto/vault/item.ts', `import 'node:fs'`, 'audited crypto packages', `import '@noble/hashes/sha2.js'`],
  ['crypto/vault/item.ts', `import 'lodash'`, 'audited crypto packages', `import 'libsodium-wrappers'`],
  [
    'crypto/protocol/messages/item.ts',
    `import '../../vault/item.ts'`,
    'protocol/ may not import vault/',
    `import '../bytes/bytes.ts'`,
  ],
  [
    'crypto/primitives/aead.ts',
    `import '../vault/item.ts'`,
    'primitives/ may not import vault/',
    `import '../protocol/bytes/bytes.ts'`,
  ],
  [
    'server/turns/start.ts',
    `import '../../crypto/turn/reply-stream.ts'`,
    'nothing that opens',
    `import '../../crypto/protocol/messages/turn.ts'`,
  ],
  [
    'server/turns/start.ts',
    `import type { A } from '../../crypto/vault/item.ts'`,
    'nothing that opens',
    `import '../../crypto/protocol/merkle-tree.ts'`,
  ],
  [
    'server/api/dispatch.ts',
    `import '../../crypto/primitives/aead.ts'`,
    'nothing that opens',
    `import '../../crypto/protocol/json/strict-json.ts'`,
  ],
  ['server/turns/start.ts', `import 'libsodium-wrappers'`, 'no library that opens', `import 'pg'`],
  [
    'server/turns/start.ts',
    `import '../../enclave-worker/main.ts'`,
    'server/ may not import enclave-worker/',
    `import '../settings.ts'`,
  ],
  [
    'process/token-bucket.ts',
    `import '../server/relay.ts'`,
    'process/ may not import server/',
    `import '../crypto/protocol/json/strict-json.ts'`,
  ],
  [
    'process/http/chunk-bound.ts',
    `import '../../crypto/turn/reply-stream.ts'`,
    'only protocol/',
    `import '../../crypto/protocol/bytes/growing-bytes.ts'`,
  ],
  ['process/event-log.ts', `import 'pg'`, 'Node and valibot only', `import 'node:stream'`],
  [
    'enclave-worker/log.ts',
    `import '../server/relay.ts'`,
    'enclave-worker/ may not import server/',
    `import '../process/event-log.ts'`,
  ],
  [
    'client/state/store.ts',
    `import '../../process/loopback.ts'`,
    'nothing of a browser imports',
    `import '../../crypto/protocol/bytes/errors.ts'`,
  ],
  [
    'server/storage/tables/database.ts',
    `import '../../api/app.ts'`,
    'storage/ may not import api/',
    `import './schema.ts'`,
  ],
  [
    'server/vault/read.ts',
    `import type { A } from '../turns/start.ts'`,
    'vault/ may not import turns/',
    `import type { A } from '../storage/clock-watch.ts'`,
  ],
  ['server/api/app.ts', `import '../main.ts'`, 'may not import what starts it', `import '../storage/database.ts'`],
  [
    'enclave-worker/engines/gguf.ts',
    `import '../../crypto/turn/open.ts'`,
    'engines know no crypto',
    `import '../../crypto/protocol/messages/turn.ts'`,
  ],
  [
    'enclave-worker/keys/rotation.ts',
    `import '../turns/open.ts'`,
    'keys/ may not import turns/',
    `import '../../crypto/turn/open.ts'`,
  ],
  [
    'registrar/statements/statement-desk.ts',
    `import '../../server/relay.ts'`,
    'registrar/ may not import server/',
    `import '../../crypto/evidence/modal/possession.ts'`,
  ],
  [
    'server/pools/pool.ts',
    `import '../../registrar/registrar-keys.ts'`,
    'server/ may not import registrar/',
    `import '../../crypto/protocol/messages/evidence-messages.ts'`,
  ],
  [
    'registrar/public-log/public-log.ts',
    `import '../identity/challenges.ts'`,
    'public-log/ may not import identity/',
    `import '../storage/registrar-database.ts'`,
  ],
  ['registrar/http/routes.ts', `import '../main.ts'`, 'may not import what starts it', `import '../settings.ts'`],
  [
    'client/page/features/thread/thread.tsx',
    `import '../../../vault/store/sync.ts'`,
    'through vault/api/ only',
    `import '../../../vault/api/vault-api.ts'`,
  ],
  [
    'client/page/state/store.ts',
    `import type { A } from '../../vault/store/sync.ts'`,
    'through vault/api/ only',
    `import type { A } from '../../vault/api/vault-api.ts'`,
  ],
  ['client/page/state/store.ts', `import 'react'`, 'knows no React', `import '@reduxjs/toolkit'`],
  [
    'client/page/state/store.ts',
    `await import('../features/thread/thread.tsx')`,
    'client/page/state/ may not import what stands above it',
    `await import('../texts/failure-texts.ts')`,
  ],
  [
    'client/page/shell/link.tsx',
    `import type { A } from '../app.tsx'`,
    'client/page/shell/ may not import what stands above it',
    `import type { A } from '../state/router.ts'`,
  ],
  [
    'client/vault/exchange/ask.ts',
    `import type { A } from '../changes/outbox.ts'`,
    'exchange/ knows no store and no outbox',
    `import type { A } from '../enclave/offer.ts'`,
  ],
  [
    'client/vault/store/sync.ts',
    `import type { A } from '../asking/turn-driver.ts'`,
    'client/vault/store/ may not import what stands above it',
    `import '../relay/relay-client.ts'`,
  ],
  [
    'client/vault/vault.ts',
    `import '../worker/vault-worker.ts'`,
    'client/vault/ may not import what stands above it',
    `import './session/sign-in.ts'`,
  ],
  [
    'client/worker/vault-worker.ts',
    `import '../node/sqlite-cache.ts'`,
    'nothing of a browser',
    `import './indexeddb-cache.ts'`,
  ],
  ['client/worker/vault-worker.ts', `import '../../process/loopback.ts'`, 'nothing of a browser', `import 'comlink'`],
  [
    'client/node/sqlite-cache.ts',
    `import '../../crypto/vault/item.ts'`,
    'only vault/ imports',
    `import '../../process/one-at-a-time.ts'; import 'node:sqlite'; import '../vault/store/cache.ts'`,
  ],
  ['client/vault/store/cache.ts', `import 'dexie'`, 'storage and threads come from outside', `import 'valibot'`],
  ['client/vault/vault.ts', `import { proxy } from 'comlink'`, 'storage and threads', `import 'libsodium-wrappers'`],
  [
    'client/worker/call-gate.ts',
    `import '../../crypto/vault/item.ts'`,
    'only vault/ imports',
    `import type { A } from '../../crypto/vault/item.ts'`,
  ],
  [
    'client/worker/call-gate.ts',
    `export * from 'hpke'`,
    'only vault/ imports',
    `import '../../crypto/protocol/bytes/errors.ts'`,
  ],
  ['client/worker/call-gate.ts', `import 'node:fs'`, 'no node: modules', `import 'comlink'`],
  [
    'client/page/state/store.ts',
    `new Worker(new URL('../../vault/store/sync.ts', import.meta.url))`,
    'through vault/api/ only',
    `new URL('/x', import.meta.url)`,
  ],
  ['audit/a.ts', `import '../client/vault/vault.ts'`, 'of client/ only build/', `import '../client/build/a.ts'`],
  ['audit/a.ts', `import '../server/log.ts'`, 'audit/ may not import server/', `import 'node:fs'`],
  ['process/event-log.ts', `import './settings'`, 'file extension', `import './settings.ts'`],
];

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

  test('refuses 301 lines, accepts 300', () => {
    expect(check({ 'process/event-log.ts': '//\n'.repeat(301) })).toEqual([expect.stringContaining('301 lines')]);
    expect(check({ 'process/event-log.ts': '//\n'.repeat(300) })).toEqual([]);
  });
});
