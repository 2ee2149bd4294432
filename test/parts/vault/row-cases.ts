import type { CacheRow, RowCache } from '../../../client/vault/store/cache.ts';
import { type CacheCase, type CacheDevice, refusalOf, requireSame } from './cache-cases.ts';

async function openedTab(device: CacheDevice): Promise<RowCache> {
  const cache = device.openTab();
  await cache.open();
  return cache;
}

const put = (cache: RowCache, rows: readonly CacheRow[]) =>
  cache.write(['items'], (tables) => tables.put('items', rows));
const keysOf = (rows: readonly unknown[]) => rows.map((row) => (row as { id: string }).id).toSorted();
const row = (id: string, counter: number) => ({
  id,
  counter,
  body: Uint8Array.of(1, 2),
  part: { hash: Uint8Array.of(3) },
});
type Row = ReturnType<typeof row>;

/** Changes everything in a row that its holder can reach. */
function spoil(value: unknown): void {
  const held = value as Row;
  held.body.fill(9);
  held.part.hash.fill(9);
  Object.assign(held, { counter: 99 });
}

/** Keys that a careless storage takes for one another, or for something of its own. */
const keys = [
  'a',
  'A',
  ' a',
  'a ',
  'ab',
  'a\u0000b',
  'a\u0000c',
  '',
  'all',
  'null',
  '1',
  '01',
  'é',
  'e\u0301',
  '名',
  '🔒',
  '__proto__',
  'constructor',
  `${'x'.repeat(300)}1`,
  `${'x'.repeat(300)}2`,
];

/** Every implementation of `RowCache` does these too, with rows and keys that nobody has chosen kindly. */
export const rowCases: readonly CacheCase[] = [
  {
    title: 'get and list: give copies, which change nothing of what is kept',
    run: async (device) => {
      const cache = await openedTab(device);
      await put(cache, [row('a', 1)]);
      spoil(await cache.get('items', 'a'));
      spoil((await cache.list('items'))[0]);
      await cache.write(['items'], async (tables) => {
        spoil(await tables.get('items', 'a'));
        spoil((await tables.list('items'))[0]);
      });
      requireSame(await cache.list('items', 1), [row('a', 1)]);
    },
  },
  {
    title: 'put: keeps nothing of what its caller holds, bytes within others neither',
    run: async (device) => {
      const cache = await openedTab(device);
      const held = row('a', 1);
      await put(cache, [held]);
      spoil(held);
      requireSame(await cache.get('items', 'a'), row('a', 1));
    },
  },
  {
    title: 'put: keeps of a piece of longer bytes the piece alone',
    run: async (device) => {
      const cache = await openedTab(device);
      const long = Uint8Array.from({ length: 1000 }, (_, n) => n % 256);
      await put(cache, [{ ...row('a', 1), body: long.subarray(2, 4), part: { hash: long.subarray(7, 8) } }]);
      const { body, part } = (await cache.get('items', 'a')) as Row;
      requireSame([body, part.hash], [Uint8Array.of(2, 3), Uint8Array.of(7)]);
      requireSame([body.buffer.byteLength, part.hash.buffer.byteLength], [2, 1]);
    },
  },
  {
    title: 'put: leaves no member and no number of the row that was there',
    run: async (device) => {
      const cache = await openedTab(device);
      await put(cache, [row('a', 5), row('b', 1), row('c', 1)]);
      await put(cache, [{ id: 'a' }, row('b', 5), row('c', 0)]);
      requireSame(await cache.get('items', 'a'), { id: 'a' });
      requireSame([keysOf(await cache.list('items', 5)), keysOf(await cache.list('items', 1))], [['b'], ['b']]);
    },
  },
  {
    title: 'put: gives back numbers and texts of every kind',
    run: async (device) => {
      const cache = await openedTab(device);
      const numbers = { none: 0, half: 0.5, below: -1, long: 2 ** 31 + 1, most: Number.MAX_SAFE_INTEGER, tiny: 1e-9 };
      const kept = {
        id: 'a',
        counter: 1,
        ...numbers,
        empty: '',
        text: 'ä名🔒"\\\u0000\u2028',
        bytes: new Uint8Array(0),
      };
      await put(cache, [kept]);
      requireSame(await cache.get('items', 'a'), kept);
    },
  },
  {
    title: 'keys: are told apart by every sign, and mean nothing but themselves',
    run: async (device) => {
      const cache = await openedTab(device);
      await put(
        cache,
        keys.map((key, n) => row(key, n)),
      );
      for (const [n, key] of keys.entries()) requireSame(await cache.get('items', key), row(key, n));
      requireSame([await cache.get('items', 'toString'), await cache.get('items', 'b')], [null, null]);
      await cache.write(['items'], (tables) => tables.delete('items', ['a', 'all', '__proto__']));
      const left = keys.filter((key) => !['a', 'all', '__proto__'].includes(key));
      requireSame(keysOf(await cache.list('items')), left.toSorted());
    },
  },
  {
    title: 'list: compares numbers as numbers, from zero to the longest',
    run: async (device) => {
      const cache = await openedTab(device);
      const numbers = [0, 0.5, 9, 10, 2 ** 24 + 1, 2 ** 31 + 1, 2 ** 32 + 5, 2 ** 53 - 2, 2 ** 53 - 1];
      await put(cache, [{ id: 'none' }, ...numbers.map((number) => row(String(number), number))]);
      for (const [n, number] of numbers.entries()) {
        requireSame(keysOf(await cache.list('items', number)), numbers.slice(n).map(String).toSorted());
      }
    },
  },
  {
    title: 'write: takes ten thousand rows in one change, lists and deletes them, and nothing at all',
    run: async (device) => {
      const cache = await openedTab(device);
      const many = Array.from({ length: 10_000 }, (_, n) => ({ id: `row-${n}`, counter: n }));
      await put(cache, many);
      requireSame([(await cache.list('items')).length, (await cache.list('items', 9_000)).length], [10_000, 1_000]);
      await cache.write(['items'], async (tables) => {
        await tables.put('items', []);
        await tables.delete('items', []);
        await tables.delete(
          'items',
          many.slice(1).map(({ id }) => id),
        );
      });
      requireSame(await cache.list('items'), [{ id: 'row-0', counter: 0 }]);
    },
  },
  {
    title: 'close: a change that it comes into is whole where it says so, and otherwise leaves nothing',
    run: async (device) => {
      const [cache, other] = [await openedTab(device), await openedTab(device)];
      const changed = cache.write(['items', 'drafts'], async (tables) => {
        await tables.put('items', [row('a', 1)]);
        cache.close();
        await tables.put('drafts', [{ id: 'a', body: Uint8Array.of(1) }]);
      });
      const isDone = (await refusalOf(changed)) === 'nothing';
      const kept = [await other.get('items', 'a'), await other.get('drafts', 'a')].map((each) => each !== null);
      requireSame(kept, [isDone, isDone]);
    },
  },
];
