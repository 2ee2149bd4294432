import { IDBKeyRange } from 'fake-indexeddb';
import { CiphertextCache } from '../../../../client/vault/store/ciphertext-cache.ts';
import { openIndexedDbCache } from '../../../../client/worker/indexeddb-cache.ts';
import type { BrowserProfile } from './browser-profile.ts';

/** Looks into, or changes, what a browser profile keeps. */
export async function inCache<T>(
  { indexedDB }: BrowserProfile,
  work: (cache: CiphertextCache) => Promise<T>,
): Promise<T> {
  const cache = new CiphertextCache(openIndexedDbCache({ indexedDB, IDBKeyRange }));
  await cache.open();
  try {
    return await work(cache);
  } finally {
    cache.close();
  }
}
