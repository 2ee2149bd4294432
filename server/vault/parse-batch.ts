import { createHash } from 'node:crypto';
import { type ItemBatch, tombstoneFlag } from '../../crypto/protocol/messages/item-messages.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import { RelayError } from '../api/route/relay-error.ts';
import { asBytes, decodeBytes } from '../api/route/wire-bytes.ts';

export type ParsedItem = {
  /** The id as text, for maps. */
  readonly key: string;
  readonly id: Bytes;
  readonly version: number;
  readonly expiresAt: number;
  readonly flags: number;
  readonly body: Bytes;
  readonly bodyHash: Bytes;
};

/** A batch in bytes whose parts agree with each other; whether it fits the vault is for the transaction to say. */
export type ParsedBatch = {
  readonly expectedHead: Bytes;
  readonly head: { readonly counter: number; readonly body: Bytes; readonly hash: Bytes };
  readonly items: readonly ParsedItem[];
  readonly prune: readonly Bytes[];
  readonly finishTurns: readonly Bytes[];
};

/** Longer ones are hashed beside the event loop: the longest takes as long as a hundred calls. */
const hashedInPlaceLength = 256 * 1024;

export function hashBytes(bytes: Uint8Array): Bytes {
  return asBytes(createHash('sha256').update(bytes).digest());
}

async function hashBody(bytes: Bytes): Promise<Bytes> {
  if (bytes.length <= hashedInPlaceLength) return hashBytes(bytes);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** @throws {RelayError} `bad-request` for an id named twice, a tombstone with a body, or a live item without one. */
export function checkBatch(batch: ItemBatch): void {
  const named = [...batch.items.map((item) => item.id), ...batch.prune];
  const isWrong = batch.items.some(({ body, flags }) => ((flags & tombstoneFlag) !== 0) !== (body === ''));
  if (isWrong || new Set(named).size !== named.length || new Set(batch.finishTurns).size !== batch.finishTurns.length) {
    throw new RelayError('bad-request');
  }
}

/**
 * Decodes a batch before any transaction is open. Each large body has a turn of the event loop of its own.
 *
 * @throws {RelayError} `bad-request`.
 */
export async function parseBatch(batch: ItemBatch): Promise<ParsedBatch> {
  checkBatch(batch);
  const headBody = decodeBytes(batch.head.body);
  const items: ParsedItem[] = [];
  for (const item of batch.items) {
    const body = decodeBytes(item.body);
    items.push({ ...item, key: item.id, id: decodeBytes(item.id), body, bodyHash: await hashBody(body) });
  }
  return {
    expectedHead: decodeBytes(batch.expectedHead),
    head: { counter: batch.head.counter, body: headBody, hash: await hashBody(headBody) },
    items,
    prune: batch.prune.map(decodeBytes),
    finishTurns: batch.finishTurns.map(decodeBytes),
  };
}
