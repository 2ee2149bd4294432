import { join } from 'node:path';
import { IDBFactory, IDBKeyRange, IDBObjectStore } from 'fake-indexeddb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SqliteCache } from '../../../../client/node/sqlite-cache.ts';
import { MemoryStorage } from '../../../../client/vault/store/memory-cache.ts';
import { openIndexedDbCache } from '../../../../client/worker/indexeddb-cache.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../../parts/machine/temporary-folder.ts';
import { cacheCases, type CacheDevice } from '../../../parts/vault/cache-cases.ts';
import { ciphertextCases } from '../../../parts/vault/ciphertext-cases.ts';
import { rowCases } from '../../../parts/vault/row-cases.ts';

function memoryDevice(): CacheDevice {
  const storage = new MemoryStorage(5 << 20);
  return { openTab: () => storage.openCache(), fill: async () => undefined, keepsKeys: true };
}

function indexedDbDevice(): CacheDevice {
  const storage = { indexedDB: new IDBFactory(), IDBKeyRange };
  return {
    openTab: () => openIndexedDbCache(storage),
    fill: async () => {
      vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
        throw new DOMException('full', 'QuotaExceededError');
      });
    },
    keepsKeys: true,
  };
}

const folders: TemporaryFolder[] = [];

async function sqliteDevice(): Promise<CacheDevice> {
  const folder = await makeTemporaryFolder('sqlite-cache');
  folders.push(folder);
  const path = join(folder.path, 'vault.sqlite');
  return {
    openTab: () => new SqliteCache(path, { maximumBytes: 6 << 20 }),
    // Its bound is on from the beginning.
    fill: async () => undefined,
    keepsKeys: false,
  };
}

afterEach(async () => {
  vi.restoreAllMocks();
  for (const folder of folders.splice(0)) await folder.remove();
});

describe.each([
  ['MemoryStorage', memoryDevice],
  ['openIndexedDbCache', indexedDbDevice],
  ['SqliteCache', sqliteDevice],
])('%s', (_name, makeDevice) => {
  it.each([...cacheCases, ...rowCases, ...ciphertextCases])('$title', async ({ run }) => {
    await expect(run(await makeDevice())).resolves.toBeUndefined();
  });
});
