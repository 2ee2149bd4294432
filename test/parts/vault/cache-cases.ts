import type { CacheRow, RowCache } from '../../../client/vault/store/cache.ts';

/** One device of an implementation under test. It runs in a browser as well, so it uses no test runner. */
export type CacheDevice = {
  /** Another tab over the same storage, not opened yet. */
  openTab(): RowCache;
  /** From now on the storage takes no more. */
  fill(): Promise<void>;
  /** True if a key of WebCrypto survives in a row; otherwise it is null there. */
  readonly keepsKeys: boolean;
};

export type CacheCase = { readonly title: string; readonly run: (device: CacheDevice) => Promise<void> };

/** Equal in every member, bytes included. @throws {Error} with both. */
export function requireSame(actual: unknown, expected: unknown): void {
  const [is, wanted] = [actual, expected].map((value) => JSON.stringify(value, describe));
  if (is !== wanted) throw new Error(`is ${is}, and not ${wanted}`);
}

function describe(_name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** @returns the code, or the message, of what a call rejects with. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'nothing',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

const item = (id: string, counter: number, ...bytes: number[]): CacheRow => ({
  id,
  counter,
  turnId: null,
  body: Uint8Array.from(bytes),
  bodyHash: Uint8Array.of(7, 7),
});
const draft = (id: string, ...bytes: number[]): CacheRow => ({ id, body: Uint8Array.from(bytes) });
const put = (cache: RowCache, ...rows: CacheRow[]) => cache.write(['items'], (tables) => tables.put('items', rows));
const ids = (rows: readonly unknown[]) => rows.map((row) => (row as { id: string }).id).toSorted();

async function openedTab(device: CacheDevice): Promise<RowCache> {
  const cache = device.openTab();
  await cache.open();
  return cache;
}

/** Every implementation of `RowCache` does these, one device a case. */
export const cacheCases: readonly CacheCase[] = [
  {
    title: 'get: gives what was put, and null for what was not',
    run: async (device) => {
      const cache = await openedTab(device);
      const row = { ...item('a', 1, 0, 255), nested: { text: 'ä\u0000🔒', hash: Uint8Array.of(1), none: null } };
      await put(cache, row, item('b', 2));
      requireSame(await cache.get('items', 'a'), row);
      requireSame(await cache.get('items', 'b'), item('b', 2));
      requireSame([await cache.get('items', 'c'), await cache.get('drafts', 'a')], [null, null]);
    },
  },
  {
    title: 'put: takes the place of a row of the same key',
    run: async (device) => {
      const cache = await openedTab(device);
      await put(cache, item('a', 1, 1));
      await put(cache, item('a', 2, 2), item('a', 3, 3));
      requireSame(await cache.list('items'), [item('a', 3, 3)]);
    },
  },
  {
    title: 'put: keeps what the row was then, whatever its bytes become',
    run: async (device) => {
      const cache = await openedTab(device);
      const body = Uint8Array.of(1, 2, 3);
      await cache.write(['drafts'], (tables) => tables.put('drafts', [{ id: 'a', body }]));
      body.fill(9);
      requireSame(await cache.get('drafts', 'a'), draft('a', 1, 2, 3));
    },
  },
  {
    title: 'put: takes a body of three megabytes',
    run: async (device) => {
      const cache = await openedTab(device);
      const body = new Uint8Array(3 << 20).fill(5);
      await cache.write(['drafts'], (tables) => tables.put('drafts', [{ id: 'long', body }]));
      const row = (await cache.get('drafts', 'long')) as { body: Uint8Array };
      requireSame([row.body.length, row.body[0], row.body.at(-1)], [3 << 20, 5, 5]);
    },
  },
  {
    title: 'list: gives the rows from a number on, and without one also those that have none',
    run: async (device) => {
      const cache = await openedTab(device);
      await put(cache, item('a', 1), item('b', 2), item('c', 3), { id: 'damaged' });
      requireSame(ids(await cache.list('items', 2)), ['b', 'c']);
      requireSame(ids(await cache.list('items')), ['a', 'b', 'c', 'damaged']);
    },
  },
  {
    title: 'delete: takes out the named rows, or all of one collection',
    run: async (device) => {
      const cache = await openedTab(device);
      await put(cache, item('a', 1), item('b', 2), item('c', 3));
      await cache.write(['drafts'], (tables) => tables.put('drafts', [draft('a', 1)]));
      await cache.write(['items'], (tables) => tables.delete('items', ['a', 'nowhere']));
      requireSame(ids(await cache.list('items')), ['b', 'c']);
      await cache.write(['items'], (tables) => tables.delete('items', 'all'));
      requireSame([await cache.list('items'), await cache.list('drafts')], [[], [draft('a', 1)]]);
    },
  },
  {
    title: 'write: gives what its work gives, which sees its own changes',
    run: async (device) => {
      const cache = await openedTab(device);
      const seen = await cache.write(['items', 'drafts'], async (tables) => {
        await tables.put('items', [item('a', 1), item('b', 2)]);
        await tables.delete('items', ['a']);
        return [await tables.get('items', 'a'), ...(await tables.list('items', 1))];
      });
      requireSame(seen, [null, item('b', 2)]);
    },
  },
  {
    title: 'write: keeps nothing of a change that fails between two collections, and rejects with the same error',
    run: async (device) => {
      const cache = await openedTab(device);
      await put(cache, item('a', 1, 1));
      const failed = cache.write(['items', 'drafts'], async (tables) => {
        await tables.delete('items', 'all');
        await tables.put('items', [item('b', 2)]);
        throw new Error('on purpose');
      });
      requireSame(await refusalOf(failed), 'on purpose');
      requireSame([await cache.list('items'), await cache.list('drafts')], [[item('a', 1, 1)], []]);
      await put(cache, item('c', 3));
      requireSame(ids(await cache.list('items')), ['a', 'c']);
    },
  },
  {
    title: 'write: refuses a collection outside of its scope, and keeps nothing',
    run: async (device) => {
      const cache = await openedTab(device);
      const failed = cache.write(['items'], async (tables) => {
        await tables.put('items', [item('a', 1)]);
        await tables.put('drafts', [draft('a', 1)]);
      });
      if ((await refusalOf(failed)) === 'nothing') throw new Error('was not refused');
      requireSame([await cache.list('items'), await cache.list('drafts')], [[], []]);
    },
  },
  {
    title: 'write: shows nothing half done to another tab, nor to its own',
    run: async (device) => {
      const [cache, other] = [await openedTab(device), await openedTab(device)];
      const seen: unknown[] = [];
      const changed = cache.write(['drafts'], async (tables) => {
        await tables.put('drafts', [draft('a', 1)]);
        for (let step = 0; step < 20; step += 1) await tables.get('drafts', 'a');
        await tables.put('drafts', [draft('a', 2)]);
      });
      for (const each of [other, cache, other]) seen.push(await each.get('drafts', 'a'));
      await changed;
      const isWhole = (row: unknown) => row === null || (row as { body: Uint8Array }).body[0] === 2;
      requireSame(seen.map(isWhole), [true, true, true]);
      requireSame(await other.get('drafts', 'a'), draft('a', 2));
    },
  },
  {
    title: 'write: changes of two tabs at once come one after another, and none is lost',
    run: async (device) => {
      const tabs = [await openedTab(device), await openedTab(device)];
      const addOne = (cache: RowCache) =>
        cache.write(['items'], async (tables) => {
          const row = (await tables.get('items', 'sum')) as { counter: number } | null;
          await tables.put('items', [item('sum', (row?.counter ?? 0) + 1)]);
        });
      await Promise.all(Array.from({ length: 40 }, (_, n) => addOne(tabs[n % 2] as RowCache)));
      requireSame(await tabs[0]?.get('items', 'sum'), item('sum', 40));
    },
  },
  {
    title: 'close: ends one tab, and what it kept is there for the next',
    run: async (device) => {
      const [cache, other] = [await openedTab(device), await openedTab(device)];
      await put(cache, item('a', 1));
      cache.close();
      requireSame(await refusalOf(cache.get('items', 'a')), 'storage-unavailable');
      requireSame(await refusalOf(put(cache, item('b', 2))), 'storage-unavailable');
      requireSame(await other.get('items', 'a'), item('a', 1));
      other.close();
      requireSame(await (await openedTab(device)).list('items'), [item('a', 1)]);
    },
  },
  {
    title: 'write: says that the storage is full, keeps nothing of the change and all that was there',
    run: async (device) => {
      const cache = await openedTab(device);
      await put(cache, item('a', 1, 1));
      await device.fill();
      const failed = cache.write(['items'], async (tables) => {
        await tables.delete('items', ['a']);
        await tables.put('items', [{ ...item('b', 2), body: new Uint8Array(8 << 20).fill(1) }]);
      });
      requireSame(await refusalOf(failed), 'browser-storage-full');
      requireSame(await cache.list('items'), [item('a', 1, 1)]);
    },
  },
  {
    title: 'put: keeps the key that wraps a session where it can be kept, and nothing in its place elsewhere',
    run: async (device) => {
      const cache = await openedTab(device);
      const wrappingKey = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']);
      const row = { name: 'session', wrappingKey, nonce: new Uint8Array(12), body: Uint8Array.of(1) };
      await cache.write(['singletons'], (tables) => tables.put('singletons', [row]));
      const kept = (await cache.get('singletons', 'session')) as typeof row;
      if (!device.keepsKeys) return requireSame(kept.wrappingKey, null);
      await crypto.subtle.encrypt({ name: 'AES-GCM', iv: kept.nonce }, kept.wrappingKey, new Uint8Array(4));
      requireSame(
        await refusalOf(crypto.subtle.exportKey('raw', kept.wrappingKey)).then((text) => text !== 'nothing'),
        true,
      );
    },
  },
];
