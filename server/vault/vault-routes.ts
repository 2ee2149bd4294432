import * as v from 'valibot';
import { idField } from '../../crypto/protocol/messages/fields.ts';
import {
  batchAnswer,
  headsAnswer,
  itemBatch,
  maximumBatchTextLength,
  prunedAnswer,
  syncAnswer,
} from '../../crypto/protocol/messages/item-messages.ts';
import type { Clock } from '../storage/clock-watch.ts';
import { answer, defineRoute, type Route } from '../api/route/route.ts';
import type { Database } from '../storage/tables/database.ts';
import { countText, limitText } from '../api/route/query-fields.ts';
import { parseBatch, type ParsedBatch } from './parse-batch.ts';
import { readBody, readHeads, readItems } from './read-items.ts';
import { readPruned } from './pruned-items.ts';
import { writeBatch } from './write-items.ts';

export type VaultDependencies = {
  readonly database: Database;
  readonly clock: Clock;
  readonly quotaBytes: number;
  /** Called after a batch is stored for the first time: other devices and running turns hear of it. */
  readonly stored: (accountId: string, batch: ParsedBatch) => void;
};

export function vaultRoutes(dependencies: VaultDependencies): Route[] {
  const { database } = dependencies;
  return [
    defineRoute({
      name: 'storeItems',
      summary: 'Stores a batch of sealed items and the head that covers them, whole or not at all.',
      method: 'POST',
      url: '/v1/items',
      access: 'session',
      body: itemBatch,
      maximumBodyLength: maximumBatchTextLength,
      answers: { 200: batchAnswer },
      errors: ['head-conflict', 'item-conflict', 'quota-exceeded', 'storage-full'],
      limits: ['bytes'],
      async handle({ session, body, nowMs }) {
        const { accountId } = session;
        const batch = await parseBatch(body);
        const { kind, space } = database;
        const times = { nowMs, latestMs: dependencies.clock.latest(nowMs) };
        const context = { kind, space, accountId, turnId: null, ...times, quotaBytes: dependencies.quotaBytes };
        const { counter, repeated } = await database.write((trx) => writeBatch(trx, batch, context));
        if (!repeated) dependencies.stored(accountId, batch);
        return answer({ format: 1, counter });
      },
    }),
    defineRoute({
      name: 'listItems',
      summary: 'A page of the items that changed after a place, with the newest head.',
      method: 'GET',
      url: '/v1/items',
      access: 'session',
      query: v.strictObject({ afterCounter: countText(), afterId: v.optional(idField), limit: limitText(500) }),
      answers: { 200: syncAnswer },
      limits: ['reads'],
      async handle({ session, query }) {
        const { afterCounter, afterId, limit } = query;
        const place = afterId === undefined ? { afterCounter, limit } : { afterCounter, afterId, limit };
        return answer(await database.read((trx) => readItems(trx, session.accountId, place)));
      },
    }),
    defineRoute({
      name: 'listPruned',
      summary: 'A page of the ids that clients pruned after a place: told for 90 days.',
      method: 'GET',
      url: '/v1/pruned-items',
      access: 'session',
      query: v.strictObject({ afterCounter: countText(), afterId: v.optional(idField), limit: limitText(1000) }),
      answers: { 200: prunedAnswer },
      limits: ['reads'],
      async handle({ session, query }) {
        const { afterCounter, afterId, limit } = query;
        const place = afterId === undefined ? { afterCounter, limit } : { afterCounter, afterId, limit };
        return answer(await readPruned(database.db, session.accountId, place));
      },
    }),
    defineRoute({
      name: 'readItemBody',
      summary: 'The sealed body of one item: pages leave large ones out.',
      method: 'GET',
      url: '/v1/items/{id}/body',
      access: 'session',
      path: { id: idField },
      answers: { 200: 'bytes' },
      errors: ['not-found', 'gone'],
      limits: ['reads'],
      handle: async ({ session, path }) => answer(await readBody(database.db, session.accountId, path.id)),
    }),
    defineRoute({
      name: 'listHeads',
      summary: 'The chain of sealed heads after a counter.',
      method: 'GET',
      url: '/v1/heads',
      access: 'session',
      query: v.strictObject({ after: countText(), limit: limitText(1000) }),
      answers: { 200: headsAnswer },
      limits: ['reads'],
      handle: async ({ session, query }) => answer(await readHeads(database.db, session.accountId, query)),
    }),
  ];
}
