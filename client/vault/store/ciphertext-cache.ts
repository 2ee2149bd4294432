import { type Bytes, equalBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { sha256 } from '../../../crypto/protocol/bytes/hash.ts';
import { type ChangingRows, collectionNames, type RowCache } from './cache.ts';
import {
  type CachedItem,
  type OperationRevision,
  readMarkRow,
  readOperationRow,
  readRememberedRow,
  readSessionRow,
  type SealedOperation,
  type VaultMark,
  type WrappedSession,
  type RememberedHead,
} from './cached-shapes.ts';
import { rememberedOf } from './remembered-head.ts';
import { VaultError } from '../failures/vault-error.ts';

/** Accounts of which a browser remembers a head; the one signed out longest ago goes first. */
const maximumRemembered = 64;

/**
 * Keeps this device's copy, on any kind of rows: ciphertext, hashes and random ids, nothing in clear and no name.
 *
 * The relay's copy is the truth; everything here but unsent text can be fetched again.
 */
export class CiphertextCache {
  readonly #rows: RowCache;

  constructor(rows: RowCache) {
    this.#rows = rows;
  }

  /** @throws {VaultError} `browser-storage-full`, or `storage-unavailable` for every other reason. */
  open(): Promise<void> {
    return this.#rows.open();
  }

  close(): void {
    this.#rows.close();
  }

  async readSession(): Promise<WrappedSession | null> {
    return readSessionRow(await this.#rows.get('singletons', 'session'));
  }

  async writeSession(session: WrappedSession): Promise<void> {
    await this.#rows.write(['singletons'], (rows) => rows.put('singletons', [session]));
  }

  async readMark(): Promise<VaultMark | null> {
    return readMarkRow(await this.#rows.get('singletons', 'vault'));
  }

  async writeMark(mark: VaultMark): Promise<void> {
    await this.#rows.write(['singletons'], (rows) => rows.put('singletons', [mark]));
  }

  /** Changes some fields of the mark that is there. */
  async updateMark(change: Partial<Omit<VaultMark, 'name'>>): Promise<void> {
    await this.#rows.write(['singletons'], async (rows) => {
      const mark = await markIn(rows);
      if (mark !== null) await rows.put('singletons', [{ ...mark, ...change }]);
    });
  }

  /** All items as they lie there: `isItemRow` tells which of them are as they were put there. */
  readAllItems(): Promise<CachedItem[]> {
    return this.#rows.list('items') as Promise<CachedItem[]>;
  }

  readItemsSince(counter: number): Promise<CachedItem[]> {
    return this.#rows.list('items', counter) as Promise<CachedItem[]>;
  }

  async readBody(id: string): Promise<Bytes | null> {
    return bodyOf(await this.#rows.get('items', id));
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
    await this.#rows.write(['items', 'singletons'], async (rows) => {
      const before = await markIn(rows);
      if (before === null || !equalBytes(before.owner, change.mark.owner)) throw new VaultError('session-ended');
      await rows.delete('items', change.deletes);
      await rows.put('items', change.puts);
      await rows.put('singletons', [change.mark]);
    });
  }

  async readOutbox(): Promise<SealedOperation[]> {
    return inOrder(await this.#rows.list('outbox'));
  }

  /**
   * Adds at the end; one of the same id gives way to it, and so do the replaced.
   *
   * @returns false, and nothing is changed, if one of the replaced is another by now.
   */
  putOperation(sealed: Omit<SealedOperation, 'order'>, replaced: readonly OperationRevision[] = []): Promise<boolean> {
    return this.#rows.write(['outbox'], async (rows) => {
      if (!(await areThese(rows, replaced))) return false;
      const last = inOrder(await rows.list('outbox')).at(-1);
      await rows.delete('outbox', idsOf(replaced));
      await rows.put('outbox', [{ ...sealed, order: (last?.order ?? 0) + 1 }]);
      return true;
    });
  }

  /** Rewrites an operation in its place. @returns false if it is another by now, or gone. */
  rewriteOperation(revision: OperationRevision, body: Bytes): Promise<boolean> {
    return this.#rows.write(['outbox'], async (rows) => {
      const row = await findOperation(rows, revision);
      if (row !== null) await rows.put('outbox', [{ ...row, body }]);
      return row !== null;
    });
  }

  /** Takes out these revisions; what is another by now stays. */
  async removeOperations(revisions: readonly OperationRevision[]): Promise<void> {
    await this.#rows.write(['outbox'], async (rows) => {
      for (const revision of revisions) {
        if ((await findOperation(rows, revision)) !== null) await rows.delete('outbox', [revision.id]);
      }
    });
  }

  async readDraft(id: string): Promise<Bytes | null> {
    return bodyOf(await this.#rows.get('drafts', id));
  }

  /**
   * @param taken - Operations whose words the draft holds now: they go in the same transaction.
   * @returns false, and nothing is changed, if one of them is another by now, or gone.
   */
  writeDraft(id: string, body: Bytes | null, taken: readonly OperationRevision[] = []): Promise<boolean> {
    return this.#rows.write(['drafts', 'outbox'], async (rows) => {
      if (!(await areThese(rows, taken))) return false;
      await (body === null ? rows.delete('drafts', [id]) : rows.put('drafts', [{ id, body }]));
      await rows.delete('outbox', idsOf(taken));
      return true;
    });
  }

  /** The relay is still to be told that the session is over. */
  async readSignOutMark(): Promise<boolean> {
    return (await this.#rows.get('singletons', 'sign-out')) !== null;
  }

  async writeSignOutMark(present: boolean): Promise<void> {
    await this.#rows.write(['singletons'], (rows) =>
      present ? rows.put('singletons', [{ name: 'sign-out' }]) : rows.delete('singletons', ['sign-out']),
    );
  }

  /** Lock: the wrapped key goes, ciphertext stays. */
  async wipeKey(): Promise<void> {
    const empty = new Uint8Array(0);
    await this.#rows.write(['singletons'], async (rows) => {
      // It stays known that there was a session: the page then says "Unlock".
      if ((await rows.get('singletons', 'session')) === null) return;
      await rows.put('singletons', [{ name: 'session', wrappingKey: null, nonce: empty, body: empty }]);
    });
  }

  /** The session is over, the vault is not: unsent text waits for the same account to sign in again. */
  async wipeSession(): Promise<void> {
    await this.#rows.write(['singletons'], (rows) => rows.delete('singletons', ['session']));
  }

  /** Sign-out, or another account: of the vault only counter and hash of its newest head stay. */
  async wipeVault(): Promise<void> {
    await this.#rows.write(collectionNames, async (rows) => {
      const mark = await markIn(rows);
      if (mark !== null) await remember(rows, mark);
      for (const name of collectionNames) if (name !== 'remembered') await rows.delete(name, 'all');
    });
  }

  /** The head that this browser accepted of an account before its cache was wiped; null where there was none. */
  async readRemembered(owner: Bytes): Promise<RememberedHead | null> {
    return readRememberedRow(await this.#rows.get('remembered', toBase64Url(owner)));
  }
}

async function markIn(rows: ChangingRows): Promise<VaultMark | null> {
  return readMarkRow(await rows.get('singletons', 'vault'));
}

/** True if all of these are still at the revision that was read. */
async function areThese(rows: ChangingRows, revisions: readonly OperationRevision[]): Promise<boolean> {
  for (const revision of revisions) if ((await findOperation(rows, revision)) === null) return false;
  return true;
}

async function findOperation(rows: ChangingRows, { id, revision }: OperationRevision): Promise<SealedOperation | null> {
  const row = readOperationRow(await rows.get('outbox', id));
  return row !== null && revisionOf(row) === revision ? row : null;
}

/** A damaged row is nobody's: it is left alone, and holds up none of the others. */
function inOrder(rows: readonly unknown[]): SealedOperation[] {
  const operations = rows.flatMap((row) => readOperationRow(row) ?? []);
  return operations.toSorted((a, b) => a.order - b.order);
}

const idsOf = (revisions: readonly OperationRevision[]) => revisions.map(({ id }) => id);

/** The newest head of an account whose cache goes, by the hash of the account's secret id. */
async function remember(rows: ChangingRows, mark: VaultMark): Promise<void> {
  const kept = (await rows.list('remembered')).map(
    (row) => row as { readonly owner: string; readonly order?: unknown },
  );
  const order = ({ order: number }: { readonly order?: unknown }) => (typeof number === 'number' ? number : 0);
  const owner = toBase64Url(mark.owner);
  const oldestFirst = kept.filter((row) => row.owner !== owner).toSorted((a, b) => order(a) - order(b));
  const excess = oldestFirst.slice(0, Math.max(0, oldestFirst.length + 1 - maximumRemembered));
  const last = oldestFirst.at(-1);
  await rows.delete(
    'remembered',
    excess.map((row) => row.owner),
  );
  await rows.put('remembered', [{ owner, ...rememberedOf(mark), order: (last === undefined ? 0 : order(last)) + 1 }]);
}

function bodyOf(row: unknown): Bytes | null {
  const body = typeof row === 'object' && row !== null && 'body' in row ? row.body : null;
  return body instanceof Uint8Array ? (body as Bytes) : null;
}

/**
 * Names one revision of an operation for good: every change seals it anew, under a salt that is drawn for it. Places in
 * the queue begin again whenever it is empty, and so name nothing.
 */
export function revisionOf({ body }: Pick<SealedOperation, 'body'>): string {
  return toBase64Url(sha256(body));
}
