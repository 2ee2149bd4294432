import type { Kysely } from 'kysely';
import {
  type HeadsAnswer,
  inlineBodyLength,
  type ItemRecord,
  type SyncAnswer,
  type SyncQuery,
} from '../../crypto/protocol/messages/item-messages.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../api/route/relay-error.ts';
import type { ItemTable, Schema } from '../storage/tables/schema.ts';
import { decodeBytes, encodeBytes } from '../api/route/wire-bytes.ts';

/** Bodies of one page, about 25 ms of work; a page holds one item at least, whatever its size. */
const pageBodyBytes = 2 * 1024 * 1024;

type Leaf = Omit<ItemTable, 'account_id' | 'body'> & { readonly kept: number };

/**
 * One page of what changed after a place, in the order (head counter, id), with the newest head. The caller's
 * transaction makes page and head one picture.
 */
export async function readItems(trx: Kysely<Schema>, accountId: string, query: SyncQuery): Promise<SyncAnswer> {
  const head = await readNewestHead(trx, accountId);
  const leaves = await readLeaves(trx, accountId, query);
  const page = cutPage(leaves, query.limit);
  const inline = page.filter((leaf) => leaf.kept === 1 && leaf.length <= inlineBodyLength).map((leaf) => leaf.id);
  const bodies = await readBodies(trx, accountId, inline);
  return {
    format: 1,
    items: page.map((leaf) => describeItem(leaf, bodies.get(encodeBytes(leaf.id)))),
    head,
    more: page.length < leaves.length,
  };
}

/** @returns one leaf more than asked for, if there is one. */
function readLeaves(trx: Kysely<Schema>, accountId: string, query: SyncQuery): Promise<Leaf[]> {
  const { afterCounter, afterId, limit } = query;
  return trx
    .selectFrom('items')
    .select(['id', 'version', 'expires_at', 'flags', 'counter', 'stored_at', 'turn_id', 'length', 'body_hash'])
    .select((expression) =>
      expression.case().when('body', 'is', null).then(0).else(1).end().$castTo<number>().as('kept'),
    )
    .where('account_id', '=', accountId)
    .where((item) => {
      const later = item('counter', '>', afterCounter);
      if (afterId === undefined) return later;
      return item.or([later, item.and([item('counter', '=', afterCounter), item('id', '>', decodeBytes(afterId))])]);
    })
    .orderBy('counter')
    .orderBy('id')
    .limit(limit + 1)
    .execute();
}

function cutPage(leaves: readonly Leaf[], limit: number): Leaf[] {
  const page: Leaf[] = [];
  let bytes = 0;
  for (const leaf of leaves) {
    if (leaf.kept === 1 && leaf.length <= inlineBodyLength) bytes += leaf.length;
    if (page.length === limit || (bytes > pageBodyBytes && page.length > 0)) break;
    page.push(leaf);
  }
  return page;
}

async function readBodies(trx: Kysely<Schema>, accountId: string, ids: readonly Bytes[]): Promise<Map<string, Bytes>> {
  if (ids.length === 0) return new Map();
  const rows = await trx
    .selectFrom('items')
    .select(['id', 'body'])
    .where('account_id', '=', accountId)
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.flatMap((row) => (row.body === null ? [] : [[encodeBytes(row.id), row.body]])));
}

function describeItem(leaf: Leaf, body: Bytes | undefined): ItemRecord {
  const isHere = body !== undefined;
  return {
    id: encodeBytes(leaf.id),
    version: leaf.version,
    expiresAt: leaf.expires_at,
    flags: leaf.flags,
    counter: leaf.counter,
    storedAtMs: leaf.stored_at,
    turnId: leaf.turn_id === null ? null : encodeBytes(leaf.turn_id),
    length: leaf.length,
    bodyHash: encodeBytes(leaf.body_hash),
    bodyState: isHere ? 'here' : leaf.kept === 1 ? 'large' : 'expired',
    body: isHere ? encodeBytes(body) : null,
  };
}

async function readNewestHead(trx: Kysely<Schema>, accountId: string): Promise<SyncAnswer['head']> {
  const head = await trx
    .selectFrom('heads')
    .select(['counter', 'body'])
    .where('account_id', '=', accountId)
    .orderBy('counter', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (head === undefined) throw new RelayError('session-ended');
  return { counter: head.counter, body: encodeBytes(head.body) };
}

/** @throws {RelayError} `not-found`, or `gone` for a body that has expired. */
export async function readBody(db: Kysely<Schema>, accountId: string, id: string): Promise<Bytes> {
  const item = await db
    .selectFrom('items')
    .select('body')
    .where('account_id', '=', accountId)
    .where('id', '=', decodeBytes(id))
    .executeTakeFirst();
  if (item === undefined) throw new RelayError('not-found');
  if (item.body === null) throw new RelayError('gone');
  return item.body;
}

/** The chain of heads after a counter, oldest first. */
export async function readHeads(
  db: Kysely<Schema>,
  accountId: string,
  query: { readonly after: number; readonly limit: number },
): Promise<HeadsAnswer> {
  const rows = await db
    .selectFrom('heads')
    .select(['counter', 'body'])
    .where('account_id', '=', accountId)
    .where('counter', '>', query.after)
    .orderBy('counter')
    .limit(query.limit + 1)
    .execute();
  const heads = rows.slice(0, query.limit).map((row) => ({ counter: row.counter, body: encodeBytes(row.body) }));
  return { format: 1, heads, more: rows.length > query.limit };
}
