import { createHash } from 'node:crypto';
import { type ItemBatch, tombstoneFlag } from '../../crypto/messages/item-messages.ts';
import type { Bytes } from '../../crypto/primitives/bytes.ts';
import { RelayError } from '../relay-error.ts';
import { asBytes, decodeBytes } from './wire-bytes.ts';

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

export function hashBytes(bytes: Uint8Array): Bytes {
  return asBytes(createHash('sha256').update(bytes).digest());
}

/**
 * Decodes a batch before any transaction is open.
 *
 * @throws {RelayError} `bad-request` for an id named twice, a tombstone with a body, or a live item without one.
 */
export function parseBatch(batch: ItemBatch): ParsedBatch {
  const named = [...batch.items.map((item) => item.id), ...batch.prune];
  if (new Set(named).size !== named.length || new Set(batch.finishTurns).size !== batch.finishTurns.length) {
    throw new RelayError('bad-request');
  }
  const headBody = decodeBytes(batch.head.body);
  return {
    expectedHead: decodeBytes(batch.expectedHead),
    head: { counter: batch.head.counter, body: headBody, hash: hashBytes(headBody) },
    items: batch.items.map((item) => {
      const isTombstone = (item.flags & tombstoneFlag) !== 0;
      if (isTombstone !== (item.body === '')) throw new RelayError('bad-request');
      const body = decodeBytes(item.body);
      return { ...item, key: item.id, id: decodeBytes(item.id), body, bodyHash: hashBytes(body) };
    }),
    prune: batch.prune.map(decodeBytes),
    finishTurns: batch.finishTurns.map(decodeBytes),
  };
}
