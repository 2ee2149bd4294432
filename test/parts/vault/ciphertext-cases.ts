import type { VaultMark } from '../../../client/vault/store/cached-shapes.ts';
import { CiphertextCache, revisionOf } from '../../../client/vault/store/ciphertext-cache.ts';
import type { RowCache } from '../../../client/vault/store/cache.ts';
import { type CacheCase, type CacheDevice, refusalOf, requireSame } from './cache-cases.ts';

const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);

const markOf = (owner: number, counter = 1): VaultMark => ({
  name: 'vault',
  owner: bytes(32, owner),
  generation: 1,
  head: { counter, hash: bytes(32, counter), body: bytes(3, counter) },
  cursor: null,
  pending: null,
  turnsAfterMs: 0,
});

const itemOf = (id: string, counter: number) => ({
  id,
  version: 1,
  expiresAt: 0,
  flags: 0,
  counter,
  storedAtMs: null,
  turnId: null,
  length: 1,
  bodyHash: bytes(32, 1),
  bodyState: 'here' as const,
  body: bytes(1, counter),
});

async function openedTab(device: CacheDevice): Promise<{ rows: RowCache; cache: CiphertextCache }> {
  const rows = device.openTab();
  const cache = new CiphertextCache(rows);
  await cache.open();
  return { rows, cache };
}

/** The vault does these with the rows, over every implementation of them. */
export const ciphertextCases: readonly CacheCase[] = [
  {
    title: 'rewriteOperation: of two tabs that change one revision at once one succeeds',
    run: async (device) => {
      const [{ cache }, { cache: other }] = [await openedTab(device), await openedTab(device)];
      const sealed = { id: 'turn/1', body: bytes(9, 1) };
      requireSame(await cache.putOperation(sealed), true);
      const revision = { id: sealed.id, revision: revisionOf(sealed) };
      const done = await Promise.all([
        cache.rewriteOperation(revision, bytes(9, 2)),
        other.rewriteOperation(revision, bytes(9, 3)),
      ]);
      requireSame(done.filter(Boolean).length, 1);
      const [left, ...more] = await cache.readOutbox();
      requireSame([left?.body[0], more], [done[0] ? 2 : 3, []]);
    },
  },
  {
    title: 'putOperation: keeps the order in which operations came, from two tabs too',
    run: async (device) => {
      const [{ cache }, { cache: other }] = [await openedTab(device), await openedTab(device)];
      for (let n = 0; n < 12; n += 1) {
        await (n % 2 === 0 ? cache : other).putOperation({ id: `turn/${12 - n}`, body: bytes(4, n) });
      }
      requireSame(
        (await other.readOutbox()).map(({ body }) => body[0]),
        Array.from({ length: 12 }, (_, n) => n),
      );
    },
  },
  {
    title: 'writeDraft: takes the words out of the outbox, or changes nothing where another tab was first',
    run: async (device) => {
      const { cache } = await openedTab(device);
      const sealed = { id: 'turn/1', body: bytes(9, 1) };
      await cache.putOperation(sealed);
      const taken = [{ id: sealed.id, revision: revisionOf(sealed) }];
      requireSame(await cache.writeDraft('new', bytes(3, 3), taken), true);
      requireSame([await cache.readDraft('new'), await cache.readOutbox()], [bytes(3, 3), []]);
      requireSame(await cache.writeDraft('new', bytes(3, 4), taken), false);
      requireSame(await cache.readDraft('new'), bytes(3, 3));
    },
  },
  {
    title: 'commit: is refused after a sign-out in another tab, and leaves nothing',
    run: async (device) => {
      const [{ cache }, { cache: other }] = [await openedTab(device), await openedTab(device)];
      await cache.writeMark(markOf(1));
      await cache.commit({ mark: markOf(1, 2), puts: [itemOf('a', 2)], deletes: 'all' });
      await other.wipeVault();
      const late = cache.commit({ mark: markOf(1, 3), puts: [itemOf('b', 3)], deletes: [] });
      requireSame(await refusalOf(late), 'session-ended');
      requireSame([await cache.readMark(), await other.readAllItems()], [null, []]);
    },
  },
  {
    title: 'wipeVault: leaves counter and hash of the head, and nothing else',
    run: async (device) => {
      const { rows, cache } = await openedTab(device);
      await cache.writeMark(markOf(1, 5));
      await cache.commit({ mark: markOf(1, 6), puts: [itemOf('a', 6)], deletes: [] });
      await cache.putOperation({ id: 'turn/1', body: bytes(9, 1) });
      await cache.writeDraft('new', bytes(3, 3));
      await cache.writeSession({ name: 'session', wrappingKey: null, nonce: bytes(12, 1), body: bytes(9, 1) });
      await cache.wipeVault();
      const left = await Promise.all(
        (['singletons', 'items', 'outbox', 'drafts'] as const).map((name) => rows.list(name)),
      );
      requireSame(left, [[], [], [], []]);
      const { counter, hash } = markOf(1, 6).head;
      requireSame(await cache.readRemembered(bytes(32, 1)), { counter, hash });
      requireSame(await cache.readRemembered(bytes(32, 2)), null);
    },
  },
  {
    title: 'wipeVault: remembers 64 accounts, of which the one signed out longest ago goes',
    run: async (device) => {
      const { rows, cache } = await openedTab(device);
      for (let owner = 1; owner <= 66; owner += 1) {
        await cache.writeMark(markOf(owner, owner));
        await cache.wipeVault();
      }
      requireSame((await rows.list('remembered')).length, 64);
      const known = await Promise.all([1, 2, 3, 66].map((owner) => cache.readRemembered(bytes(32, owner))));
      requireSame(
        known.map((head) => head?.counter ?? null),
        [null, null, 3, 66],
      );
    },
  },
  {
    title: 'wipeKey: leaves a session without its key, and makes none where there is none',
    run: async (device) => {
      const { cache } = await openedTab(device);
      await cache.wipeKey();
      requireSame(await cache.readSession(), null);
      await cache.writeSession({ name: 'session', wrappingKey: null, nonce: bytes(12, 1), body: bytes(9, 1) });
      await cache.wipeKey();
      const empty = { name: 'session', wrappingKey: null, nonce: bytes(0, 0), body: bytes(0, 0) };
      requireSame(await cache.readSession(), empty);
    },
  },
  {
    title: "damaged rows: an operation is left alone, a session asks for the password, a mark is nobody's",
    run: async (device) => {
      const { rows, cache } = await openedTab(device);
      await cache.putOperation({ id: 'turn/1', body: bytes(9, 1) });
      await rows.write(['singletons', 'outbox', 'drafts'], async (tables) => {
        await tables.put('outbox', [
          { id: 'turn/0', order: 'first' },
          { id: 'turn/2', order: 2, body: 'text' },
        ]);
        await tables.put('singletons', [
          { name: 'session', nonce: 5 },
          { name: 'vault', owner: 'me' },
        ]);
        await tables.put('drafts', [{ id: 'new', body: [1] }]);
      });
      await cache.putOperation({ id: 'turn/3', body: bytes(9, 3) });
      requireSame(
        (await cache.readOutbox()).map(({ id }) => id),
        ['turn/1', 'turn/3'],
      );
      requireSame((await rows.list('outbox')).length, 4);
      requireSame((await cache.readSession())?.wrappingKey, null);
      requireSame([await cache.readMark(), await cache.readDraft('new')], [null, null]);
    },
  },
];
