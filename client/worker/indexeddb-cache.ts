import { Dexie, type Table } from 'dexie';
import { toVaultError, VaultError } from '../vault/failures/vault-error.ts';
import {
  type CacheRow,
  type ChangingRows,
  type CollectionName,
  collections,
  type RowCache,
  withOwnBytes,
} from '../vault/store/cache.ts';

/** The storage of this browser profile, or of a test. */
export type BrowserStorage = { readonly indexedDB: IDBFactory; readonly IDBKeyRange: typeof IDBKeyRange };

function makeDatabase({ indexedDB, IDBKeyRange }: BrowserStorage): Dexie {
  const database = new Dexie('sotto', { indexedDB, IDBKeyRange });
  // Earlier builds wrote these stores: a store of another form is another version, with the way from this one.
  database.version(1).stores({ singletons: '&name', items: '&id, counter', outbox: '&id, order', drafts: '&id' });
  database.version(2).stores({ remembered: '&owner, order' });
  return database;
}

/** The rows of one browser profile, in IndexedDB. */
export function openIndexedDbCache(storage: BrowserStorage): RowCache {
  const database = makeDatabase(storage);
  const rows = rowsOf((collection) => database.table(collection));
  return {
    open: () =>
      database.open().then(
        () => undefined,
        (error: unknown) => {
          throw unopened(error);
        },
      ),
    close: () => database.close(),
    get: (collection, key) => inCodes(rows.get(collection, key)),
    list: (collection, from) => inCodes(rows.list(collection, from)),
    // An async function: only then Dexie keeps the transaction open across awaits of the language's own promises.
    write: (scope, work) => inCodes(database.transaction('rw', [...scope], async () => work(rows))),
  };
}

type RowTable = Table<CacheRow, string>;

function rowsOf(table: (collection: CollectionName) => RowTable): ChangingRows {
  return {
    get: async (collection, key) => (await table(collection).get(key)) ?? null,
    list: async (collection, from) => {
      const { number } = collections[collection];
      if (from === undefined) return table(collection).toArray();
      return number === null ? [] : table(collection).where(number).aboveOrEqual(from).toArray();
    },
    put: async (collection, puts) => {
      await table(collection).bulkPut(puts.map(withOwnBytes));
    },
    delete: (collection, keys) =>
      keys === 'all' ? table(collection).clear() : table(collection).bulkDelete([...keys]),
  };
}

function unopened(error: unknown): VaultError {
  const { code } = toVaultError(error);
  return new VaultError(code === 'browser-storage-full' ? code : 'storage-unavailable');
}

/** The work's own errors stay what they are. */
async function inCodes<T>(done: PromiseLike<T>): Promise<T> {
  try {
    return await done;
  } catch (error) {
    const failure = toVaultError(error);
    throw failure.isOfStorage ? failure : error;
  }
}
