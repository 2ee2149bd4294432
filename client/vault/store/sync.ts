import {
  type ItemRecord,
  maximumBatchLength,
  type SyncAnswer,
  tombstoneFlag,
} from '../../../crypto/protocol/messages/item-messages.ts';
import { type Bytes, compareBytes, equalBytes, fromBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../crypto/protocol/bytes/errors.ts';
import { sha256 } from '../../../crypto/protocol/bytes/hash.ts';
import { isMissingBodyAllowed } from '../../../crypto/vault/expiry.ts';
import type { Clock } from '../surroundings/clock.ts';
import { RelayCallError } from '../relay/http/relay-call-error.ts';
import type { RelayClient } from '../relay/relay-client.ts';
import type { CachedItem, VaultMark } from './cached-shapes.ts';
import { checkHead, type CheckedHead } from './head-check.ts';
import { VaultError } from '../failures/vault-error.ts';
import { isTombstone, type ItemRow } from './vault-contents.ts';
import { leafOf, type OpenedItem, type VaultStore } from './vault-store.ts';

/** Two million items. */
const maximumPages = 10_000;

export type SyncDependencies = {
  readonly store: VaultStore;
  readonly client: Pick<RelayClient, 'readItems' | 'readItemBody' | 'readHeads' | 'readPruned'>;
  readonly clock: Clock;
};

/**
 * Brings this device to the newest head of the relay, or changes nothing. A page counts only when the chain of heads leads
 * there and the tree over all items has exactly the head's root (M13 to M21, M26).
 *
 * To be called under the vault's lock.
 *
 * @throws {VaultError} `vault-rolled-back`, `vault-tampered`; @throws {RelayCallError}.
 */
export async function syncVault(dependencies: SyncDependencies): Promise<void> {
  const { store } = dependencies;
  await store.catchUp();
  const isWhole = store.mark.cursor === null;
  if (await trySync(dependencies, isWhole)) return;
  // Leaves were forgotten, now or between two pages, or the cache is not what it should be: everything once more, and then it
  // has to agree.
  if (!(await trySync(dependencies, true))) throw new VaultError('vault-tampered');
}

/** @returns false when the items do not add up to the head. */
async function trySync(dependencies: SyncDependencies, isWhole: boolean): Promise<boolean> {
  const { store, client } = dependencies;
  const pages = await readPages(
    dependencies,
    isWhole ? { counter: 0, id: null } : (store.mark.cursor ?? { counter: 0, id: null }),
  );
  const head = await checkHead(store, client, pages.head);
  // An item that went while the pages were read may stand on the first of them.
  const pruned = await readPruned(dependencies, head, isWhole ? pages.firstCounter : store.mark.head.counter);
  if (pruned === null) return false;
  for (const id of pruned) pages.records.delete(id);
  const items = await loadBodies(dependencies, pages.records, head);
  const rows = [...items.values()];
  // A damaged cache does not speak for the relay; the chain of heads still holds the relay to what it said.
  const known = store.isConsistent() ? store.contents.rows : null;
  for (const row of rows) checkSuccession(row, known?.get(row.id));
  if (!equalBytes(store.rootWith(rows, pruned, isWhole), head.opened.itemsRoot)) return false;
  await keep(dependencies, { head, rows, pruned, isWhole, cursor: pages.cursor });
  return true;
}

type Cursor = NonNullable<VaultMark['cursor']>;

/** All pages after a place, the later record of an item in place of the earlier. */
async function readPages({ client }: SyncDependencies, from: Cursor) {
  const records = new Map<string, ItemRecord>();
  let cursor = from;
  let firstCounter: number | null = null;
  let head: SyncAnswer['head'];
  for (let page = 0; ; page++) {
    const answer = await client.readItems({
      afterCounter: cursor.counter,
      ...(cursor.id === null ? {} : { afterId: cursor.id }),
    });
    for (const record of answer.items) {
      const next = { counter: record.counter, id: record.id };
      // Only forward: a page that goes back or stands still would never end (M15, M26).
      if (!isAfter(next, cursor) || record.counter > answer.head.counter) throw new VaultError('vault-tampered');
      cursor = next;
      records.set(record.id, record);
    }
    head = answer.head;
    firstCounter ??= head.counter;
    if (!answer.more) return { records, head, firstCounter, cursor };
    if (answer.items.length === 0 || page >= maximumPages) throw new VaultError('vault-tampered');
  }
}

/**
 * Which leaves batches pruned after this head. The relay tells it for some time, and whether it tells the truth the root says: a
 * device that is told too little or too much reads the whole vault.
 *
 * @returns null where the relay does not tell: it is of an earlier build.
 */
async function readPruned(
  { client }: SyncDependencies,
  head: CheckedHead,
  afterCounter: number,
): Promise<readonly string[] | null> {
  let place: Cursor = { counter: afterCounter, id: null };
  if (head.opened.prunedBefore <= place.counter) return [];
  const pruned = new Set<string>();
  // A relay that names more than so many batches can have pruned would go on for ever.
  const most = (head.cached.counter - afterCounter) * maximumBatchLength;
  while (pruned.size <= most) {
    const answer = await client.readPruned(place).catch((error: unknown) => {
      if (error instanceof RelayCallError && error.code === 'not-found') return null;
      throw error;
    });
    if (answer === null) return null;
    for (const next of answer.pruned) {
      if (!isAfter(next, place)) throw new VaultError('vault-tampered');
      place = next;
      // An item that a batch after the head's pruned is still in this head, and so are all behind it.
      if (next.counter > head.cached.counter) return [...pruned];
      pruned.add(next.id);
    }
    if (!answer.more) return [...pruned];
    if (answer.pruned.length === 0) throw new VaultError('vault-tampered');
  }
  return null;
}

/** The relay orders ids as bytes, which base64url does not keep. */
function isAfter(a: Cursor, b: Cursor): boolean {
  if (a.counter !== b.counter) return a.counter > b.counter;
  if (a.id === null || b.id === null) return false;
  return compareBytes(fromBase64Url(a.id), fromBase64Url(b.id)) > 0;
}

async function loadBodies(
  dependencies: SyncDependencies,
  records: ReadonlyMap<string, ItemRecord>,
  head: CheckedHead,
): Promise<Map<string, CachedItem>> {
  const items = new Map<string, CachedItem>();
  for (const record of records.values()) {
    if (record.counter > head.cached.counter) throw new VaultError('vault-tampered');
    items.set(record.id, await loadItem(dependencies, record));
  }
  return items;
}

async function loadItem(dependencies: SyncDependencies, record: ItemRecord): Promise<CachedItem> {
  const bodyHash = fromBase64Url(record.bodyHash);
  const { body: _body, bodyState: _state, ...columns } = record;
  const shared = { ...columns, bodyHash };
  if (record.bodyState === 'expired') {
    const { expiresAt } = record;
    if (!isMissingBodyAllowed({ expiresAt, nowMs: dependencies.clock.wallMs() })) {
      throw new VaultError('vault-tampered');
    }
    return { ...shared, bodyState: 'expired', body: null };
  }
  const body = record.bodyState === 'large' ? await loadLargeBody(dependencies, record) : decodeBody(record);
  const isDeleted = (record.flags & tombstoneFlag) !== 0;
  const isRight =
    body.length === record.length && isDeleted === (body.length === 0) && equalBytes(sha256(body), bodyHash);
  if (!isRight) throw new VaultError('vault-tampered');
  return { ...shared, bodyState: 'here', body };
}

function decodeBody(record: ItemRecord): Bytes {
  if (record.body === null) throw new VaultError('vault-tampered');
  return fromBase64Url(record.body);
}

/** Unless it is here already. */
async function loadLargeBody({ store, client }: SyncDependencies, record: ItemRecord): Promise<Bytes> {
  const known = store.contents.rows.get(record.id);
  if (known?.version === record.version) {
    const body = await store.cache.readBody(record.id);
    if (body !== null && equalBytes(sha256(body), fromBase64Url(record.bodyHash))) return body;
  }
  try {
    return await client.readItemBody(record.id);
  } catch (error) {
    // Changed or deleted since the page was read: the next sync brings its successor.
    if (error instanceof RelayCallError && (error.code === 'not-found' || error.code === 'gone')) {
      throw new RelayCallError('relay-unreachable');
    }
    throw error;
  }
}

/** Whatever the root says: versions only rise, and the dead stay dead (M18, M20). */
function checkSuccession(row: ItemRow, known: ItemRow | undefined): void {
  if (known === undefined) return;
  if (row.version < known.version) throw new VaultError('vault-rolled-back');
  const isSame = row.version === known.version;
  if (isSame && !equalBytes(leafOf(row), leafOf(known))) throw new VaultError('vault-tampered');
  if (!isSame && isTombstone(known)) throw new VaultError('vault-tampered');
}

async function keep(
  { store }: SyncDependencies,
  synced: {
    readonly head: CheckedHead;
    readonly rows: readonly CachedItem[];
    readonly pruned: readonly string[];
    readonly isWhole: boolean;
    readonly cursor: Cursor;
  },
): Promise<void> {
  const { head, rows, pruned, isWhole, cursor } = synced;
  const isNothingNew = rows.length === 0 && !isWhole && head.cached.counter === store.mark.head.counter;
  if (isNothingNew) {
    if (store.mark.pending !== null) await store.updateMark({ pending: null });
    return;
  }
  const puts = rows.map((item) => openChecked(store, item));
  await store.commit({ head: head.cached, puts, deletes: pruned, isWhole, cursor });
}

/**
 * The head covers only items that were sealed with this account's keys. If a seal breaks, the relay lies. If only the form is
 * unknown, a newer build or a broken one (M24) wrote it, and this one keeps the item as unreadable.
 */
function openChecked(store: VaultStore, item: CachedItem): OpenedItem {
  try {
    return { item, content: store.open(item) };
  } catch (error) {
    if (error instanceof CryptoError) throw new VaultError('vault-tampered');
    throw error;
  }
}
