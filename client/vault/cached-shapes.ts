import * as v from 'valibot';
import { countField, idField } from '../../crypto/messages/fields.ts';

const bytes = v.instance(Uint8Array);
const hash = v.pipe(
  bytes,
  v.check((value) => value.length === 32),
);
const count = countField();
const headMark = v.object({ counter: count, hash });

const item = v.object({
  id: idField,
  version: count,
  expiresAt: count,
  flags: count,
  counter: count,
  storedAtMs: v.nullable(count),
  turnId: v.nullable(idField),
  length: count,
  bodyHash: hash,
  bodyState: v.picklist(['here', 'expired']),
  body: v.nullable(bytes),
});

const mark = v.object({
  name: v.literal('vault'),
  owner: hash,
  generation: count,
  head: v.object({ ...headMark.entries, body: bytes }),
  floor: v.optional(v.nullable(v.object({ ...headMark.entries, shownCounter: v.optional(count) }))),
  cursor: v.nullable(v.object({ counter: count, id: v.nullable(idField) })),
  pending: v.nullable(headMark),
  turnsAfterMs: count,
});

/** A row of this browser's storage that is not what was put there must not stop the start: it counts as damaged. */
export function isItemRow(row: unknown): boolean {
  return v.is(item, row);
}

export function isMarkRow(row: unknown): boolean {
  return v.is(mark, row);
}
