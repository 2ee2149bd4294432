import type { Keyring } from '../../../crypto/account/keyring.ts';
import { type Bytes, equalBytes, fromBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../crypto/protocol/bytes/errors.ts';
import { labelled, sha256 } from '../../../crypto/protocol/bytes/hash.ts';
import { openContentOrDescribe } from '../../../crypto/vault/item-content.ts';
import { hashLeaf, MerkleTree } from '../../../crypto/protocol/merkle-tree.ts';
import { hashHead, openHead, type VaultHead } from '../../../crypto/vault/vault-head.ts';
import { type CachedHead, type CachedItem, isItemRow, type VaultMark } from './cached-shapes.ts';
import type { CiphertextCache } from './ciphertext-cache.ts';
import { type ItemRow, type OpenedContent, VaultContents } from './vault-contents.ts';
import { VaultError } from '../failures/vault-error.ts';

/** An item that passed its checks, opened. */
export type OpenedItem = { readonly item: CachedItem; readonly content: OpenedContent };

/** A change that moves the vault from one verified head to another. */
export type VaultChange = {
  readonly head: CachedHead;
  readonly puts: readonly OpenedItem[];
  readonly deletes: readonly string[];
  /** Everything that is not put is gone. */
  readonly isWhole: boolean;
  readonly cursor: VaultMark['cursor'];
};

export type StoreWatcher = {
  /** Contents of these conversations are others now, or the list of conversations is. */
  readonly onChange: (conversationIds: ReadonlySet<string>) => void;
  /** The cache is ahead of the other tabs. */
  readonly onCommit: () => void;
};

/** Which account a cache belongs to, without saying which account it is. */
export function cacheOwner(accountId: Uint8Array): Bytes {
  return sha256(labelled('sotto/v1/cache-owner', accountId));
}

/**
 * The vault as this tab knows it: what the last accepted head covers, in the cache as ciphertext and here as words.
 * Its methods that change anything are called under the vault's lock.
 */
export class VaultStore {
  readonly cache: CiphertextCache;
  readonly keyring: Keyring;
  readonly contents = new VaultContents();
  readonly #watcher: StoreWatcher;
  readonly #signal: AbortSignal;
  #tree = new MerkleTree();
  #mark: VaultMark | null = null;
  #head: VaultHead | null = null;
  /** Something in the cache is not what was put there. */
  #isBroken = false;

  /** @param signal - Aborted when the vault ends: from then on nothing is written to the cache. */
  constructor(cache: CiphertextCache, keyring: Keyring, watcher: StoreWatcher, signal: AbortSignal) {
    this.cache = cache;
    this.keyring = keyring;
    this.#watcher = watcher;
    this.#signal = signal;
  }

  get mark(): VaultMark {
    if (this.#mark === null) throw new TypeError('not loaded');
    return this.#mark;
  }

  get head(): VaultHead {
    if (this.#head === null) throw new TypeError('not loaded');
    return this.#head;
  }

  /** @returns whether there is a cache of this account, under a head that its keys open. */
  async load(): Promise<boolean> {
    const mark = await this.cache.readMark();
    if (mark === null || !equalBytes(mark.owner, cacheOwner(this.keyring.accountId))) return false;
    if (!isReadableHead(this.keyring, mark.head)) return false;
    this.#takeMark(mark);
    await this.#readAll();
    return true;
  }

  /** Takes over what other tabs changed since. */
  async catchUp(): Promise<void> {
    const mark = await this.cache.readMark();
    if (mark === null) return;
    const before = this.mark;
    this.#takeMark(mark);
    if (mark.generation !== before.generation) return this.#readAll();
    if (mark.head.counter <= before.head.counter && cursorEquals(mark.cursor, before.cursor)) return;
    const since = Math.min(before.head.counter, before.cursor?.counter ?? 0);
    const touched = new Set<string>();
    this.#putAll(await this.cache.readItemsSince(since), touched);
    if (!this.isConsistent()) return this.#readAll();
    this.#watcher.onChange(touched);
  }

  /** True if all of it opens and the tree's root is the head's: false means that the cache lies or is not whole. */
  isConsistent(): boolean {
    return !this.#isBroken && equalBytes(this.#tree.root(), this.head.itemsRoot);
  }

  /** The root that these changes would give; nothing is kept of them. */
  rootWith(puts: readonly ItemRow[], deletes: readonly string[], isWhole = false): Bytes {
    if (isWhole) {
      const tree = new MerkleTree();
      for (const row of puts) tree.set(fromBase64Url(row.id), leafOf(row));
      return tree.root();
    }
    for (const id of deletes) this.#tree.delete(fromBase64Url(id));
    for (const row of puts) this.#tree.set(fromBase64Url(row.id), leafOf(row));
    const root = this.#tree.root();
    for (const id of [...deletes, ...puts.map((row) => row.id)]) {
      const row = this.contents.rows.get(id);
      if (row === undefined) this.#tree.delete(fromBase64Url(id));
      else this.#tree.set(fromBase64Url(id), leafOf(row));
    }
    return root;
  }

  /** Keeps a change whose head was verified and whose root was compared. @throws {VaultError} `session-ended`. */
  async commit(change: VaultChange): Promise<void> {
    this.#requireOpen();
    const isOther = change.isWhole || change.deletes.length > 0;
    const mark: VaultMark = {
      ...this.mark,
      head: change.head,
      cursor: change.cursor,
      pending: null,
      // The head was followed from there.
      floor: null,
      generation: this.mark.generation + (isOther ? 1 : 0),
    };
    await this.cache.commit({
      mark,
      puts: change.puts.map(({ item }) => item),
      deletes: change.isWhole ? 'all' : change.deletes,
    });
    this.#takeMark(mark);
    const touched = new Set<string>();
    if (change.isWhole) this.#clear(touched);
    for (const id of change.deletes) {
      this.#touch(id, touched);
      this.contents.delete(id);
      this.#tree.delete(fromBase64Url(id));
    }
    for (const put of change.puts) this.#put(put, touched);
    this.#watcher.onCommit();
    this.#watcher.onChange(touched);
  }

  async updateMark(change: Partial<Pick<VaultMark, 'pending' | 'turnsAfterMs' | 'cursor'>>): Promise<void> {
    this.#requireOpen();
    await this.cache.updateMark(change);
    this.#mark = { ...this.mark, ...change };
  }

  /** @throws {CryptoError} `open-failed` for what the account did not seal, although the head covers it. */
  open(item: CachedItem): OpenedContent {
    if (item.body === null || item.body.length === 0) return null;
    return openContentOrDescribe({
      keyring: this.keyring,
      itemId: fromBase64Url(item.id),
      version: item.version,
      expiresAt: item.expiresAt,
      body: item.body,
    });
  }

  #requireOpen(): void {
    if (this.#signal.aborted) throw new VaultError('session-ended');
  }

  #takeMark(mark: VaultMark): void {
    const isSame = this.#mark !== null && equalBytes(this.#mark.head.hash, mark.head.hash);
    this.#mark = mark;
    if (!isSame) this.#head = openHead({ keyring: this.keyring, body: mark.head.body });
  }

  async #readAll(): Promise<void> {
    const touched = new Set<string>();
    this.#clear(touched);
    this.#putAll(await this.cache.readAllItems(), touched);
    // A cache that is not what the head covers is of no use; the head itself is not forgotten.
    if (!this.isConsistent() && this.mark.cursor !== null) await this.updateMark({ cursor: null });
    this.#watcher.onChange(touched);
  }

  #clear(touched: Set<string>): void {
    for (const id of this.contents.conversations.keys()) touched.add(id);
    this.contents.clear();
    this.#tree = new MerkleTree();
    this.#isBroken = false;
  }

  #putAll(rows: readonly CachedItem[], touched: Set<string>): void {
    for (const row of rows) {
      if (isItemRow(row)) this.#put(this.#openItem(row), touched);
      else this.#isBroken = true;
    }
  }

  #openItem(item: CachedItem): OpenedItem {
    try {
      const content = this.open(item);
      const { body, bodyHash } = item;
      const isWhole = content?.type !== 'unreadable' || (body !== null && equalBytes(sha256(body), bodyHash));
      if (isWhole) return { item, content };
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
    }
    this.#isBroken = true;
    // Until the next sync brings it anew, nobody can say what it was.
    return { item, content: { type: 'unreadable', of: null, conversationId: null } };
  }

  #put({ item, content }: OpenedItem, touched: Set<string>): void {
    const { body: _body, ...row } = item;
    this.#touch(row.id, touched);
    this.contents.set(row, content);
    this.#tree.set(fromBase64Url(row.id), leafOf(row));
    this.#touch(row.id, touched);
  }

  #touch(id: string, touched: Set<string>): void {
    const conversationId = this.contents.conversationOf(id);
    if (conversationId !== null) touched.add(conversationId);
  }
}

/** False for a head that was damaged in the cache, or that is sealed with keys that this session does not have. */
export function isReadableHead(keyring: Keyring, { body }: Pick<CachedHead, 'body'>): boolean {
  try {
    openHead({ keyring, body });
    return true;
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
}

export function leafOf(row: ItemRow): Bytes {
  const { version, expiresAt, flags, bodyHash } = row;
  return hashLeaf({ id: fromBase64Url(row.id), version, expiresAt, flags, bodyHash });
}

export function cachedHead(message: { readonly counter: number; readonly body: string }): CachedHead {
  const body = fromBase64Url(message.body);
  return { counter: message.counter, hash: hashHead(body), body };
}

function cursorEquals(a: VaultMark['cursor'], b: VaultMark['cursor']): boolean {
  return a?.counter === b?.counter && a?.id === b?.id;
}
