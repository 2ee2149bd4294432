import * as v from 'valibot';
import { countField, idField } from '../../../crypto/protocol/messages/fields.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { HeadMark } from '../../../crypto/vault/vault-head.ts';

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

/** The last head to which this browser followed the chain: no other history is accepted, ever. */
export type RememberedHead = HeadMark & {
  /** The highest counter that a sign-in showed since; nobody has followed the chain to it yet. */
  readonly shownCounter?: number | undefined;
};

/** This browser's own record of one account: the head that it followed, and the place of its next sync. */
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
  /** The next sync begins behind this; null: from the beginning. */
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
/** Names an operation that is to change: the change applies to this very revision or not at all. */
export type OperationRevision = { readonly id: string; readonly revision: string };

const bytes = v.instance(Uint8Array);
const hash = v.pipe(
  bytes,
  v.check((value) => value.length === 32),
);
const count = countField();
const headMark = v.object({ counter: count, hash });
const remembered = v.object({ ...headMark.entries, shownCounter: v.exactOptional(count) });

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

/** Opens under no key, and binds the relay to nothing. */
const noHead = { counter: 0, hash: new Uint8Array(32), body: new Uint8Array(0) };
/** Each member for itself: one that is damaged takes nothing else with it. Without an owner it is nobody's. */
const mark = v.looseObject({
  name: v.literal('vault'),
  owner: hash,
  generation: v.fallback(count, 1),
  head: v.fallback(v.object({ ...headMark.entries, body: bytes }), noHead),
  floor: v.exactOptional(v.fallback(v.nullable(remembered), null)),
  cursor: v.fallback(v.nullable(v.object({ counter: count, id: v.nullable(idField) })), null),
  pending: v.fallback(v.nullable(headMark), null),
  turnsAfterMs: v.fallback(count, 0),
});

const operation = v.object({
  id: v.pipe(v.string(), v.minLength(1)),
  order: v.pipe(v.number(), v.finite()),
  body: bytes,
});
/** A damaged session row is of no use, but it stays known that there was a session. */
const wrapped = v.object({
  name: v.literal('session'),
  // Whose key it is, only using it shows.
  wrappingKey: v.nullable(v.custom<CryptoKey>((key) => typeof key === 'object')),
  nonce: bytes,
  body: bytes,
});

/** A row of this browser's storage that is not what was put there must not stop the start: it counts as damaged. */
export function isItemRow(row: unknown): boolean {
  return v.is(item, row);
}

/** @returns what is left of the row; null where it does not even say whose it is. */
export function readMarkRow(row: unknown): VaultMark | null {
  const parsed = v.safeParse(mark, row);
  return parsed.success ? parsed.output : null;
}

/** @returns null for a row that is not there, or that says nothing which could bind the relay. */
export function readRememberedRow(row: unknown): RememberedHead | null {
  const parsed = v.safeParse(remembered, row);
  return parsed.success ? parsed.output : null;
}

/** @returns null for a row that is not there, or that is no operation. */
export function readOperationRow(row: unknown): SealedOperation | null {
  const parsed = v.safeParse(operation, row);
  return parsed.success ? (parsed.output as SealedOperation) : null;
}

/** @returns null where there is no session; one without its key for a damaged one, which the password then opens. */
export function readSessionRow(row: unknown): WrappedSession | null {
  if (row === null) return null;
  const parsed = v.safeParse(wrapped, row);
  if (parsed.success) return parsed.output as WrappedSession;
  return { name: 'session', wrappingKey: null, nonce: new Uint8Array(0), body: new Uint8Array(0) };
}
