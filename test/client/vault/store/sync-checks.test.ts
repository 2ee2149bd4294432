import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Keyring } from '../../../../crypto/account/keyring.ts';
import { type ItemRecord, type SyncAnswer, tombstoneFlag } from '../../../../crypto/protocol/messages/item-messages.ts';
import { aeadReady } from '../../../../crypto/primitives/aead.ts';
import { type Bytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { sha256 } from '../../../../crypto/protocol/bytes/hash.ts';
import { sealContent } from '../../../../crypto/vault/item-content.ts';
import { hashLeaf, MerkleTree } from '../../../../crypto/protocol/merkle-tree.ts';
import { hashHead, noHeadHash, sealHead } from '../../../../crypto/vault/vault-head.ts';
import { CiphertextCache } from '../../../../client/vault/store/ciphertext-cache.ts';
import { openIndexedDbCache } from '../../../../client/worker/indexeddb-cache.ts';
import { syncVault } from '../../../../client/vault/store/sync.ts';
import { VaultError } from '../../../../client/vault/failures/vault-error.ts';
import { cacheOwner, cachedHead, VaultStore } from '../../../../client/vault/store/vault-store.ts';
import { filled, sampleKeyring } from '../../../parts/crypto/sample-account.ts';

beforeAll(aeadReady);

type Leaf = { readonly version: number; readonly flags?: number };
const itemId = filled(16, 0x11);
const settings = {
  type: 'settings',
  format: 1,
  theme: { value: 'dark', setAtMs: 1 },
} as const;

/** The one item of the vault as the account sealed it: heads and roots are right, whatever the versions are. */
class OneItemRelay {
  readonly #keyring: Keyring;
  readonly heads: { readonly counter: number; readonly body: Bytes }[] = [];
  #answer: SyncAnswer | null = null;
  /** In place of the newest head, where the items are told. */
  shownHead: Bytes | null = null;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** Adds a head that covers the item as it is now. */
  write({ version, flags = 0 }: Leaf, changes: { prunedBefore?: number; previousHash?: Bytes } = {}): void {
    const counter = this.heads.length + 1;
    const isDeleted = (flags & tombstoneFlag) !== 0;
    const body = isDeleted
      ? new Uint8Array(0)
      : sealContent({ keyring: this.#keyring, itemId, version, expiresAt: 0, content: settings });
    const bodyHash = sha256(body);
    const tree = new MerkleTree();
    tree.set(itemId, hashLeaf({ id: itemId, version, expiresAt: 0, flags, bodyHash }));
    const last = this.heads.at(-1);
    const head = sealHead({
      keyring: this.#keyring,
      head: {
        counter,
        previousHash: changes.previousHash ?? (last === undefined ? noHeadHash : hashHead(last.body)),
        itemsRoot: tree.root(),
        keyslotListDigest: filled(32, 1),
        prunedBefore: changes.prunedBefore ?? 0,
      },
    });
    this.heads.push({ counter, body: head });
    const record: ItemRecord = {
      id: toBase64Url(itemId),
      version,
      expiresAt: 0,
      flags,
      counter,
      storedAtMs: 0,
      turnId: null,
      length: body.length,
      bodyHash: toBase64Url(bodyHash),
      bodyState: 'here',
      body: toBase64Url(body),
    };
    this.#answer = { format: 1, items: [record], head: { counter, body: toBase64Url(head) }, more: false };
  }

  readItems = async (): Promise<SyncAnswer> => {
    if (this.#answer === null) throw new Error('nothing written');
    const { head } = this.#answer;
    const body = this.shownHead === null ? head.body : toBase64Url(this.shownHead);
    return { ...this.#answer, head: { ...head, body } };
  };

  readHeads = async (after: number) => ({
    format: 1 as const,
    more: false,
    heads: this.heads
      .filter(({ counter }) => counter > after)
      .map(({ counter, body }) => ({ counter, body: toBase64Url(body) })),
  });

  readPruned = async () => ({ format: 1 as const, pruned: [], more: false });

  readItemBody = async (): Promise<Bytes> => {
    throw new Error('no item is large');
  };
}

/** A device that follows from the relay's first head on. */
async function follow(leaf: Leaf, changes: { prunedBefore?: number } = {}) {
  const keyring = sampleKeyring();
  const relay = new OneItemRelay(keyring);
  relay.write(leaf, changes);
  const cache = new CiphertextCache(openIndexedDbCache({ indexedDB: new IDBFactory(), IDBKeyRange }));
  await cache.open();
  const [first] = relay.heads;
  if (first === undefined) throw new Error('no head');
  const head = cachedHead({ counter: 1, body: toBase64Url(first.body) });
  const owner = cacheOwner(keyring.accountId);
  await cache.writeMark({ name: 'vault', owner, generation: 1, head, cursor: null, pending: null, turnsAfterMs: 0 });
  const watcher = { onChange: () => undefined, onCommit: () => undefined };
  const store = new VaultStore(cache, keyring, watcher, new AbortController().signal);
  await store.load();
  const clock = { wallMs: () => 0, monotonicMs: () => 0, after: () => () => undefined };
  const sync = async (): Promise<string> => {
    try {
      await syncVault({ store, client: relay, clock });
      return 'accepted';
    } catch (error) {
      if (error instanceof VaultError) return error.code;
      throw error;
    }
  };
  expect(await sync()).toBe('accepted');
  return { relay, store, sync };
}

describe('an item whose next head is sealed by the account', () => {
  it('goes on to a later version, and to its end', async () => {
    const { relay, sync } = await follow({ version: 2 });
    relay.write({ version: 3 });
    expect(await sync()).toBe('accepted');
    relay.write({ version: 4, flags: tombstoneFlag });
    expect(await sync()).toBe('accepted');
  });

  it.each<[string, Leaf, Leaf, string]>([
    ['does not go back to an earlier version', { version: 2 }, { version: 1 }, 'vault-rolled-back'],
    ['does not change within one version', { version: 2 }, { version: 2 }, 'vault-tampered'],
    ['does not come back from its end', { version: 2, flags: tombstoneFlag }, { version: 3 }, 'vault-tampered'],
  ])('%s', async (_, before, after, code) => {
    const { relay, store, sync } = await follow(before);
    relay.write(after);
    expect(await sync()).toBe(code);
    expect(store.contents.rows.get(toBase64Url(itemId))?.version).toBe(before.version);
    expect(store.mark.head.counter).toBe(1);
  });
});

describe('a chain of heads', () => {
  it('does not take back that leaves were pruned', async () => {
    const { relay, sync } = await follow({ version: 2 }, { prunedBefore: 1 });
    relay.write({ version: 3 }, { prunedBefore: 0 });
    expect(await sync()).toBe('vault-tampered');
    const twin = await follow({ version: 2 }, { prunedBefore: 1 });
    twin.relay.write({ version: 3 }, { prunedBefore: 1 });
    expect(await twin.sync()).toBe('accepted');
  });

  it('ends in the very head that the relay shows beside the items', async () => {
    const { relay, store, sync } = await follow({ version: 2 });
    relay.write({ version: 3 });
    relay.write({ version: 4 });
    const newest = relay.heads.at(-1)?.body;
    if (newest === undefined) throw new Error('no head');
    // The chain is right and covers the items; what is shown was sealed by nobody.
    relay.shownHead = newest.map((byte, at) => (at === 60 ? byte ^ 1 : byte));
    expect(await sync()).toBe('vault-tampered');
    expect(store.mark.head.counter).toBe(1);
    relay.shownHead = null;
    expect(await sync()).toBe('accepted');
    expect(store.mark.head.body).toEqual(newest);
  });
});
