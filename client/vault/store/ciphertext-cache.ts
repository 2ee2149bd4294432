import { Dexie, type Table } from 'dexie';
import { type Bytes, equalBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { sha256 } from '../../../crypto/protocol/bytes/hash.ts';
import { readMarkRow, readRememberedRow } from './cached-shapes.ts';
import { type RememberedHead, rememberedOf } from './remembered-head.ts';
import { toVaultError, VaultError } from '../failures/vault-error.ts';
import type { VaultParts } from '../surroundings/vault-parts.ts';

/** One item as the relay holds it. `storedAtMs` is null until a sync brought the relay's own columns. */
export type CachedItem = {
  readonly id: string;
  readonly version: number;
  readonly expiresAt: number;
  readonly flags: number;
  readonly counter: number;
  readonly storedAtMs: number | null;
  readonly turnId: string | null;
  readonly length: number;
  readonly bodyHash: Bytes;
  readonly bodyState: 'here' | 'expired';
  readonly body: Bytes | null;
};

export type CachedHead = { readonly counter: number; readonly hash: Bytes; readonly body: Bytes };

/** Where this browser stands with one account. */
export type VaultMark = {
  readonly name: 'vault';
  /** A hash of the account's secret id: another account's cache is never mixed in. */
  readonly owner: Bytes;
  /** Rises when items left other than by a change: other tabs then read all again. */
  readonly generation: number;
  /** The last head that was accepted; nothing older is, ever. */
  readonly head: CachedHead;
  /** A head that was accepted before this cache was made: the next sync has to descend from it. */
  readonly floor?: RememberedHead | null;
  /** Where the next sync begins; null: from the beginning. */
  readonly cursor: { readonly counter: number; readonly id: string | null } | null;
  /** A head that was sent and not answered yet: it may come back as ours. */
  readonly pending: { readonly counter: number; readonly hash: Bytes } | null;
  /** Turns that began up to this time have nothing to be fetched any more. */
  readonly turnsAfterMs: number;
};

/** The key of this browser profile, which no script can read, and what it wraps. */
export type WrappedSession = {
  readonly name: 'session';
  readonly wrappingKey: CryptoKey | null;
  readonly nonce: Bytes;
  readonly body: Bytes;
};

/** Something to do at the relay that could not be done yet, sealed. */
export type SealedOperation = { readonly id: string; readonly order: number; readonly body: Bytes };
/** What a change of an operation names: it is made to this very revision or not at all. */
export type OperationRevision = { readonly id: string; readonly revision: string };
type SealedDraft = { readonly id: string; readonly body: Bytes };
type SignOutMark = { readonly name: 'sign-out' };
/** The head of an account whose cache is gone, by the hash of its secret id. */
type RememberedRow = RememberedHead & { readonly owner: string; readonly order: number };

/** Accounts of which a browser remembers a head; the one signed out longest ago goes first. */
const maximumRemembered = 64;

type Singleton = VaultMark | WrappedSession | SignOutMark;

class CacheDatabase extends Dexie {
  declare readonly singletons: Table<Singleton, string>;
  declare readonly items: Table<CachedItem, string>;
  declare readonly outbox: Table<SealedOperation, string>;
  declare readonly drafts: Table<SealedDraft, string>;
  declare readonly remembered: Table<RememberedRow, string>;

  constructor(storage: VaultParts['storage']) {
    super('sotto', { indexedDB: storage.indexedDB, IDBKeyRange: storage.IDBKeyRange });
    this.version(1).stores({ singletons: '&name', items: '&id, counter', outbox: '&id, order', drafts: '&id' });
    this.version(2).stores({ remembered: '&owner, order' });
  }
}

/**
 * What this browser keeps: ciphertext, hashes and random ids, nothing in clear and no name.
 *
 * The relay's copy is the truth; everything here but unsent text can be fetched again.
 */
export class CiphertextCache {
  readonly #database: CacheDatabase;

  constructor(storage: VaultParts['storage']) {
    this.#database = new CacheDatabase(storage);
  }

  /** @throws {VaultError} `browser-storage-full`, or `storage-unavailable` for every other reason. */
  async open(): Promise<void> {
    try {
      await this.#database.open();
    } catch (error) {
      const { code } = toVaultError(error);
      throw new VaultError(code === 'browser-storage-full' ? code : 'storage-unavailable');
    }
  }

  close(): void {
    this.#database.close();
  }

  async readSession(): Promise<WrappedSession | null> {
    const row = await this.#database.singletons.get('session');
    return row?.name === 'session' ? row : null;
  }

  async writeSession(session: WrappedSession): Promise<void> {
    await this.#database.singletons.put(session);
  }

  async readMark(): Promise<VaultMark | null> {
    return readMarkRow(await this.#database.singletons.get('vault'));
  }

  async writeMark(mark: VaultMark): Promise<void> {
    await this.#database.singletons.put(mark);
  }

  /** Changes some fields of the mark that is there. */
  async updateMark(change: Partial<Omit<VaultMark, 'name'>>): Promise<void> {
    const { singletons } = this.#database;
    await this.#database.transaction('rw', singletons, async () => {
      const mark = await this.readMark();
      if (mark !== null) await singletons.put({ ...mark, ...change });
    });
  }

  readAllItems(): Promise<CachedItem[]> {
    return this.#database.items.toArray();
  }

  readItemsSince(counter: number): Promise<CachedItem[]> {
    return this.#database.items.where('counter').aboveOrEqual(counter).toArray();
  }

  async readBody(id: string): Promise<Bytes | null> {
    return (await this.#database.items.get(id))?.body ?? null;
  }

  /**
   * Items and mark change together, so that what is here is always what one head covers.
   *
   * @throws {VaultError} `session-ended` when the account's cache is no longer here: a sign-out, in whatever tab, stays one.
   */
  async commit(change: {
    readonly mark: VaultMark;
    readonly puts: readonly CachedItem[];
    /** `all`: everything that is not put. */
    readonly deletes: readonly string[] | 'all';
  }): Promise<void> {
    const { items, singletons } = this.#database;
    await this.#database.transaction('rw', items, singletons, async () => {
      const before = await this.readMark();
      if (before === null || !equalBytes(before.owner, change.mark.owner)) throw new VaultError('session-ended');
      if (change.deletes === 'all') await items.clear();
      else await items.bulkDelete([...change.deletes]);
      await items.bulkPut([...change.puts]);
      await singletons.put(change.mark);
    });
  }

  readOutbox(): Promise<SealedOperation[]> {
    return this.#database.outbox.orderBy('order').toArray();
  }

  /**
   * Adds at the end; one of the same id gives way to it, and so do the replaced.
   *
   * @returns false, and nothing is changed, if one of the replaced is another by now.
   */
  putOperation(sealed: Omit<SealedOperation, 'order'>, replaced: readonly OperationRevision[] = []): Promise<boolean> {
    const { outbox } = this.#database;
    return this.#database.transaction('rw', outbox, async () => {
      const found = await Promise.all(replaced.map((each) => this.#findOperation(each)));
      if (found.includes(null)) return false;
      const last = await outbox.orderBy('order').last();
      await outbox.bulkDelete(replaced.map(({ id }) => id));
      await outbox.put({ ...sealed, order: (last?.order ?? 0) + 1 });
      return true;
    });
  }

  /** Rewrites an operation in its place. @returns false if it is another by now, or gone. */
  rewriteOperation(revision: OperationRevision, body: Bytes): Promise<boolean> {
    const { outbox } = this.#database;
    return this.#database.transaction('rw', outbox, async () => {
      const row = await this.#findOperation(revision);
      if (row === null) return false;
      await outbox.put({ ...row, body });
      return true;
    });
  }

  /** Takes out these revisions; what is another by now stays. */
  async removeOperations(revisions: readonly OperationRevision[]): Promise<void> {
    const { outbox } = this.#database;
    await this.#database.transaction('rw', outbox, async () => {
      for (const revision of revisions) {
        if ((await this.#findOperation(revision)) !== null) await outbox.delete(revision.id);
      }
    });
  }

  /** Inside a transaction. */
  async #findOperation({ id, revision }: OperationRevision): Promise<SealedOperation | null> {
    const row = await this.#database.outbox.get(id);
    return row !== undefined && revisionOf(row) === revision ? row : null;
  }

  async readDraft(id: string): Promise<Bytes | null> {
    return (await this.#database.drafts.get(id))?.body ?? null;
  }

  /**
   * @param taken - Operations whose words the draft holds now: they go in the same transaction.
   * @returns false, and nothing is changed, if one of them is another by now, or gone.
   */
  writeDraft(id: string, body: Bytes | null, taken: readonly OperationRevision[] = []): Promise<boolean> {
    const { drafts, outbox } = this.#database;
    return this.#database.transaction('rw', drafts, outbox, async () => {
      const found = await Promise.all(taken.map((each) => this.#findOperation(each)));
      if (found.includes(null)) return false;
      await (body === null ? drafts.delete(id) : drafts.put({ id, body }));
      await outbox.bulkDelete(taken.map((each) => each.id));
      return true;
    });
  }

  /** The relay is still to be told that the session is over. */
  async readSignOutMark(): Promise<boolean> {
    return (await this.#database.singletons.get('sign-out')) !== undefined;
  }

  async writeSignOutMark(present: boolean): Promise<void> {
    const { singletons } = this.#database;
    await (present ? singletons.put({ name: 'sign-out' }) : singletons.delete('sign-out'));
  }

  /** Lock: the wrapped key goes, ciphertext stays. */
  async wipeKey(): Promise<void> {
    const { singletons } = this.#database;
    const empty = new Uint8Array(0);
    await this.#database.transaction('rw', singletons, async () => {
      // Whether there is a session at all stays known: the page then says "Unlock".
      if ((await this.readSession()) === null) return;
      await singletons.put({ name: 'session', wrappingKey: null, nonce: empty, body: empty });
    });
  }

  /** The session is over, the vault is not: unsent text waits for the same account to sign in again. */
  async wipeSession(): Promise<void> {
    await this.#database.singletons.delete('session');
  }

  /** Sign-out, or another account: of the vault only counter and hash of its newest head stay. */
  async wipeVault(): Promise<void> {
    const { items, outbox, drafts, singletons, remembered } = this.#database;
    await this.#database.transaction('rw', items, outbox, drafts, singletons, remembered, async () => {
      const mark = await this.readMark();
      if (mark !== null) await this.#remember(mark);
      await Promise.all([items.clear(), outbox.clear(), drafts.clear(), singletons.clear()]);
    });
  }

  /** What this browser accepted of an account before its cache was wiped; null where that never was. */
  async readRemembered(owner: Bytes): Promise<RememberedHead | null> {
    return readRememberedRow(await this.#database.remembered.get(toBase64Url(owner)));
  }

  /** Inside a transaction. */
  async #remember(mark: VaultMark): Promise<void> {
    const { remembered } = this.#database;
    const last = await remembered.orderBy('order').last();
    await remembered.put({ owner: toBase64Url(mark.owner), ...rememberedOf(mark), order: (last?.order ?? 0) + 1 });
    const excess = (await remembered.count()) - maximumRemembered;
    if (excess > 0) await remembered.bulkDelete(await remembered.orderBy('order').limit(excess).primaryKeys());
  }
}

/**
 * Names one revision of an operation for good: every change seals it anew, under a salt that is drawn for it. Places in
 * the queue begin again whenever it is empty, and so name nothing.
 */
export function revisionOf({ body }: Pick<SealedOperation, 'body'>): string {
  return toBase64Url(sha256(body));
}
