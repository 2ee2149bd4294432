import * as v from 'valibot';
import { bytesField, countField, dayField, formatField, hashField, idField, timeMsField } from './fields.ts';

/** Longest sealed item body in bytes: 16 MiB of padded text and its frame (SPEC.md §5). */
export const maximumItemBodyLength = 16 * 1024 * 1024 + 1024;
/** Bodies above this length are left out of sync pages and fetched one by one. */
export const inlineBodyLength = 64 * 1024 + 1024;
export const maximumBatchLength = 500;
/** Longest batch as JSON in bytes: one body of 16 MiB as base64url, and what stands around it. */
export const maximumBatchTextLength = 24 * 1024 * 1024;
/** The only flag so far: the item is deleted, its body empty. */
export const tombstoneFlag = 1;

/** A sealed vault head (SPEC.md §6). */
export const sealedHeadMessage = v.strictObject({
  counter: v.pipe(countField(), v.minValue(1)),
  body: bytesField(1, 1024),
});

/** One version of an item. The relay stores it only as the successor of the version before. */
export const itemWrite = v.strictObject({
  id: idField,
  version: v.pipe(countField(0xffff_ffff), v.minValue(1)),
  expiresAt: dayField,
  flags: countField(tombstoneFlag),
  body: bytesField(0, maximumItemBodyLength),
});

/** Items and the head that covers them, stored whole or not at all. */
export const itemBatch = v.strictObject({
  format: formatField,
  /** SHA-256 of the sealed head that this batch follows. */
  expectedHead: hashField,
  head: sealedHeadMessage,
  items: v.pipe(v.array(itemWrite), v.maxLength(maximumBatchLength)),
  /** Leaves to forget: tombstones and expired items only. */
  prune: v.pipe(v.array(idField), v.maxLength(maximumBatchLength)),
  /** Turns whose transcripts a compact item replaces, or whose conversation is deleted. */
  finishTurns: v.pipe(v.array(idField), v.maxLength(maximumBatchLength)),
});

export const batchAnswer = v.strictObject({ format: formatField, counter: countField() });

/** Where a sync page begins: everything that changed after this place. */
export const syncQuery = v.strictObject({
  afterCounter: countField(),
  afterId: v.optional(idField),
  limit: v.pipe(countField(500), v.minValue(1)),
});

/** All that the relay holds of one item. */
export const itemRecord = v.strictObject({
  id: idField,
  version: v.pipe(countField(0xffff_ffff), v.minValue(1)),
  expiresAt: dayField,
  flags: countField(tombstoneFlag),
  /** Counter of the head that last changed it. */
  counter: countField(),
  storedAtMs: timeMsField,
  /** The turn that wrote it, if one did. */
  turnId: v.nullable(idField),
  length: countField(maximumItemBodyLength),
  bodyHash: hashField,
  bodyState: v.picklist(['here', 'large', 'expired']),
  body: v.nullable(bytesField(0, maximumItemBodyLength)),
});

/** Items changed after a place, read in one transaction with the newest head. */
export const syncAnswer = v.strictObject({
  format: formatField,
  items: v.pipe(v.array(itemRecord), v.maxLength(500)),
  head: sealedHeadMessage,
  more: v.boolean(),
});

/** Leaves that were pruned after a place: for a device that was away (SPEC.md §6.2). */
export const prunedQuery = v.strictObject({
  afterCounter: countField(),
  afterId: v.optional(idField),
  limit: v.pipe(countField(1000), v.minValue(1)),
});
export const prunedAnswer = v.strictObject({
  format: formatField,
  /** By counter of the head that pruned them, then by id. */
  pruned: v.pipe(
    v.array(v.strictObject({ id: idField, counter: v.pipe(countField(), v.minValue(1)) })),
    v.maxLength(1000),
  ),
  more: v.boolean(),
});

export const headsQuery = v.strictObject({ after: countField(), limit: v.pipe(countField(1000), v.minValue(1)) });
export const headsAnswer = v.strictObject({
  format: formatField,
  heads: v.pipe(v.array(sealedHeadMessage), v.maxLength(1000)),
  more: v.boolean(),
});

export type SealedHeadMessage = v.InferOutput<typeof sealedHeadMessage>;
export type ItemWrite = v.InferOutput<typeof itemWrite>;
export type ItemBatch = v.InferOutput<typeof itemBatch>;
export type ItemRecord = v.InferOutput<typeof itemRecord>;
export type SyncQuery = v.InferOutput<typeof syncQuery>;
export type SyncAnswer = v.InferOutput<typeof syncAnswer>;
export type PrunedQuery = v.InferOutput<typeof prunedQuery>;
export type PrunedAnswer = v.InferOutput<typeof prunedAnswer>;
export type HeadsAnswer = v.InferOutput<typeof headsAnswer>;
export type BatchAnswer = v.InferOutput<typeof batchAnswer>;
