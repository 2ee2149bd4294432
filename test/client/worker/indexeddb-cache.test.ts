import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { expect, it } from 'vitest';
import { CiphertextCache } from '../../../client/vault/store/ciphertext-cache.ts';
import { openIndexedDbCache } from '../../../client/worker/indexeddb-cache.ts';

const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);

/** The stores as the builds up to 0.1.0 made them: Dexie counts its versions in tens. */
const storesOfVersion: Readonly<Record<number, Readonly<Record<string, { key: string; index: string | null }>>>> = {
  10: {
    singletons: { key: 'name', index: null },
    items: { key: 'id', index: 'counter' },
    outbox: { key: 'id', index: 'order' },
    drafts: { key: 'id', index: null },
  },
  20: { remembered: { key: 'owner', index: 'order' } },
};

const mark = {
  name: 'vault',
  owner: bytes(32, 1),
  generation: 3,
  head: { counter: 9, hash: bytes(32, 9), body: bytes(300, 9) },
  cursor: { counter: 9, id: 'AAAAAAAAAAAAAAAAAAAAAA' },
  pending: null,
  turnsAfterMs: 12,
};
const item = {
  id: 'AAAAAAAAAAAAAAAAAAAAAA',
  version: 2,
  expiresAt: 0,
  flags: 0,
  counter: 9,
  storedAtMs: 5,
  turnId: null,
  length: 1100,
  bodyHash: bytes(32, 4),
  bodyState: 'here',
  body: bytes(1100, 4),
};
const operation = { id: 'turn/AAAAAAAAAAAAAAAAAAAAAA', order: 4, body: bytes(200, 5) };

async function makeFormerDatabase(indexedDB: IDBFactory, version: number): Promise<void> {
  const wrappingKey = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  const session = { name: 'session', wrappingKey, nonce: bytes(12, 2), body: bytes(400, 2) };
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open('sotto', version);
    request.onupgradeneeded = () => {
      for (const [from, stores] of Object.entries(storesOfVersion)) {
        if (Number(from) > version) continue;
        for (const [name, { key, index }] of Object.entries(stores)) {
          const store = request.result.createObjectStore(name, { keyPath: key });
          if (index !== null) store.createIndex(index, index);
        }
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error('The database does not open.'));
  });
  const names = [...database.objectStoreNames];
  const change = database.transaction(names, 'readwrite');
  for (const row of [mark, session, { name: 'sign-out' }]) change.objectStore('singletons').put(row);
  change.objectStore('items').put(item);
  change.objectStore('outbox').put(operation);
  change.objectStore('drafts').put({ id: 'new', body: bytes(90, 6) });
  const remembered = { owner: 'other', order: 1, counter: 8, hash: bytes(32, 8), shownCounter: 11 };
  if (names.includes('remembered')) change.objectStore('remembered').put(remembered);
  await new Promise<void>((resolve) => (change.oncomplete = () => resolve()));
  database.close();
}

it.each([10, 20])(
  'openIndexedDbCache: reads all that earlier builds wrote, in version %i of the database',
  async (version) => {
    const indexedDB = new IDBFactory();
    await makeFormerDatabase(indexedDB, version);
    const rows = openIndexedDbCache({ indexedDB, IDBKeyRange });
    const cache = new CiphertextCache(rows);
    await cache.open();
    expect(await cache.readMark()).toEqual(mark);
    expect(await cache.readAllItems()).toEqual([item]);
    expect(await cache.readItemsSince(10)).toEqual([]);
    expect(await cache.readOutbox()).toEqual([operation]);
    expect(await cache.readDraft('new')).toEqual(bytes(90, 6));
    expect(await cache.readSignOutMark()).toBe(true);
    const session = await cache.readSession();
    expect(session).toMatchObject({ nonce: bytes(12, 2), body: bytes(400, 2) });
    const algorithm = { name: 'AES-GCM', iv: bytes(12, 2) };
    const sealed = await crypto.subtle.encrypt(algorithm, session?.wrappingKey as CryptoKey, bytes(4, 1));
    expect(sealed.byteLength).toBe(20);
    expect((await rows.list('remembered')).length).toBe(version === 20 ? 1 : 0);
    cache.close();
  },
);

it('openIndexedDbCache: leaves a database that builds before it open too', async () => {
  const indexedDB = new IDBFactory();
  const rows = openIndexedDbCache({ indexedDB, IDBKeyRange });
  await rows.open();
  await rows.write(['drafts'], (tables) => tables.put('drafts', [{ id: 'new', body: bytes(9, 1) }]));
  rows.close();
  const [made] = await indexedDB.databases();
  expect(made).toEqual({ name: 'sotto', version: 20 });
});
