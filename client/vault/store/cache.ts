import { VaultError } from '../failures/vault-error.ts';

/**
 * The collections that a device keeps: the field that is the key of a row, and the number by which it is listed. Names and
 * keys are those of the first build's IndexedDB stores, which browsers have on their disks.
 */
export const collections = {
  singletons: { key: 'name', number: null },
  items: { key: 'id', number: 'counter' },
  outbox: { key: 'id', number: 'order' },
  drafts: { key: 'id', number: null },
  remembered: { key: 'owner', number: 'order' },
} as const;

export type CollectionName = keyof typeof collections;
export const collectionNames = Object.keys(collections) as readonly CollectionName[];

/** A plain object of texts, numbers, nulls, bytes and such objects, with its key; the session's row also has a CryptoKey. */
export type CacheRow = Readonly<Record<string, unknown>>;

export type ReadableRows = {
  /** @returns null where there is none. Nobody has checked a row that was read. */
  get(collection: CollectionName, key: string): Promise<unknown>;
  /** @param from - Only rows whose number is this one or higher. @returns in no order. */
  list(collection: CollectionName, from?: number): Promise<unknown[]>;
};

export type ChangingRows = ReadableRows & {
  put(collection: CollectionName, rows: readonly CacheRow[]): Promise<void>;
  delete(collection: CollectionName, keys: readonly string[] | 'all'): Promise<void>;
};

/**
 * A device's store for rows of ciphertext. Every implementation passes the same tests (test/client/vault/store/cache-suite.ts).
 *
 * All methods reject with VaultError `browser-storage-full` or `storage-unavailable`, and with what `work` rejects with.
 */
export type RowCache = ReadableRows & {
  /** May be called again after it failed. */
  open(): Promise<void>;
  close(): void;
  /**
   * One change of rows: all of it or nothing, and no other tab's in between.
   *
   * @param scope - The only collections that the work touches.
   * @param work - Waits for nothing but the rows that it is given: a browser ends the transaction where it waits for others.
   */
  write<T>(scope: readonly CollectionName[], work: (rows: ChangingRows) => Promise<T>): Promise<T>;
};

/** The rows of one change, for implementations whose engine does not hold the work to its scope. */
export function withinScope(scope: readonly CollectionName[], rows: ChangingRows): ChangingRows {
  const require = (collection: CollectionName) => {
    if (!scope.includes(collection)) throw new VaultError('storage-unavailable');
  };
  return {
    get: async (collection, key) => (require(collection), rows.get(collection, key)),
    list: async (collection, from) => (require(collection), rows.list(collection, from)),
    put: async (collection, put) => (require(collection), rows.put(collection, put)),
    delete: async (collection, keys) => (require(collection), rows.delete(collection, keys)),
  };
}

/** The number of a row by which its collection is listed; null for a row without one. */
export function numberOf(collection: CollectionName, row: CacheRow): number | null {
  const { number } = collections[collection];
  const value = number === null ? null : row[number];
  return typeof value === 'number' ? value : null;
}

/** @throws {VaultError} `storage-unavailable` for a row without one. */
export function keyOf(collection: CollectionName, row: CacheRow): string {
  const key = row[collections[collection].key];
  if (typeof key !== 'string') throw new VaultError('storage-unavailable');
  return key;
}

/** The row with bytes of its own: a storage that copies a piece of longer bytes would keep all of them. */
export function withOwnBytes(row: CacheRow): CacheRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, ownBytes(value)]));
}

function ownBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.length === value.buffer.byteLength ? value : new Uint8Array(value);
  // A key of WebCrypto is no plain object.
  const isPlain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? withOwnBytes(value as CacheRow) : value;
}
