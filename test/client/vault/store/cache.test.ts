import { IDBFactory, IDBKeyRange, IDBObjectStore } from 'fake-indexeddb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { MemoryStorage } from '../../../../client/vault/store/memory-cache.ts';
import { openIndexedDbCache } from '../../../../client/worker/indexeddb-cache.ts';
import { cacheCases, type CacheDevice } from '../../../parts/vault/cache-cases.ts';
import { ciphertextCases } from '../../../parts/vault/ciphertext-cases.ts';

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

afterEach(() => vi.restoreAllMocks());

describe.each([
  ['MemoryStorage', memoryDevice],
  ['openIndexedDbCache', indexedDbDevice],
])('%s', (_name, makeDevice) => {
  it.each([...cacheCases, ...ciphertextCases])('$title', ({ run }) =>
    expect(run(makeDevice())).resolves.toBeUndefined(),
  );
});
