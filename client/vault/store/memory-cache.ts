import { VaultError } from '../failures/vault-error.ts';
import {
  type CacheRow,
  type ChangingRows,
  type CollectionName,
  collectionNames,
  keyOf,
  numberOf,
  type RowCache,
  withinScope,
  withOwnBytes,
} from './cache.ts';

type Collection = ReadonlyMap<string, CacheRow>;
type Collections = Readonly<Record<CollectionName, Collection>>;

const noRows = (): Collections => {
  const empty: Collection = new Map();
  return { singletons: empty, items: empty, outbox: empty, drafts: empty, remembered: empty };
};

/** All tabs of a device in memory share this; with it goes everything. */
export class MemoryStorage {
  readonly #maximumLength: number;
  #kept: Collections = noRows();
  #last: Promise<unknown> = Promise.resolve();

  /** @param maximumLength - The most bytes in the rows together. */
  constructor(maximumLength = Number.POSITIVE_INFINITY) {
    this.#maximumLength = maximumLength;
  }

  openCache(): RowCache {
    let isClosed = false;
    const requireOpen = () => {
      if (isClosed) throw new VaultError('storage-unavailable');
    };
    return {
      open: async () => requireOpen(),
      close: () => {
        isClosed = true;
      },
      get: async (collection, key) => (requireOpen(), copy(this.#kept[collection].get(key) ?? null)),
      list: async (collection, from) => (requireOpen(), listRows(this.#kept[collection], collection, from)),
      write: (scope, work) =>
        this.#afterOthers(async () => {
          requireOpen();
          const change = new MemoryChange(this.#kept);
          const result = await work(withinScope(scope, change));
          requireOpen();
          this.#keep(change.rows);
          return result;
        }),
    };
  }

  #keep(rows: Collections): void {
    const length = collectionNames
      .flatMap((name) => [...rows[name].values()])
      .reduce((sum, row) => sum + sizeOf(row), 0);
    if (length > this.#maximumLength) throw new VaultError('browser-storage-full');
    this.#kept = rows;
  }

  #afterOthers<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#last.then(run);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** Rows as one change sees them: its own writes, of which nothing is kept before its end. */
class MemoryChange implements ChangingRows {
  rows: Collections;

  constructor(rows: Collections) {
    this.rows = rows;
  }

  async get(collection: CollectionName, key: string): Promise<unknown> {
    return copy(this.rows[collection].get(key) ?? null);
  }

  async list(collection: CollectionName, from?: number): Promise<unknown[]> {
    return listRows(this.rows[collection], collection, from);
  }

  async put(collection: CollectionName, rows: readonly CacheRow[]): Promise<void> {
    const next = new Map(this.rows[collection]);
    for (const row of rows) next.set(keyOf(collection, row), copy(withOwnBytes(row)));
    this.rows = { ...this.rows, [collection]: next };
  }

  async delete(collection: CollectionName, keys: readonly string[] | 'all'): Promise<void> {
    const next = new Map(keys === 'all' ? [] : this.rows[collection]);
    for (const key of keys === 'all' ? [] : keys) next.delete(key);
    this.rows = { ...this.rows, [collection]: next };
  }
}

function listRows(rows: Collection, collection: CollectionName, from?: number): unknown[] {
  const isMeant = (row: CacheRow) =>
    from === undefined || (numberOf(collection, row) ?? Number.NEGATIVE_INFINITY) >= from;
  return [...rows.values()].filter(isMeant).map(copy);
}

/** Copies, as every storage does: nobody changes a row by holding on to it. */
function copy<Value>(value: Value): Value {
  return structuredClone(value);
}

function sizeOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, member) => sum + sizeOf(member), 0);
}
