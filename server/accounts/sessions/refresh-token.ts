import { timingSafeEqual } from 'node:crypto';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { uint64 } from '../../../crypto/protocol/bytes/bytes.ts';
import { encodeBytes } from '../../api/route/wire-bytes.ts';
import type { ServerKeys } from '../keys/server-keys.ts';

/** A refresh token as it was presented: which session, the how-many-th of it, and the proof. */
export type RefreshToken = { readonly sessionId: Bytes; readonly generation: number; readonly proof: Bytes };

const pattern = /^([A-Za-z0-9_-]{22})\.([0-9]{1,15})\.([A-Za-z0-9_-]{43})$/;

/**
 * Token n of a session is a keyed hash over the session's seed. So a lost answer is repeated word for word, and neither the
 * database nor the server keys alone make one.
 */
export function makeRefreshToken(
  keys: ServerKeys,
  session: { readonly id: Bytes; readonly token_seed: Bytes },
  generation: number,
): string {
  return `${encodeBytes(session.id)}.${generation}.${encodeBytes(proofOf(keys, session, generation))}`;
}

/** @returns null for what no `makeRefreshToken` has written. */
export function parseRefreshToken(text: string): RefreshToken | null {
  const [, id, generation, proof] = pattern.exec(text) ?? [];
  if (id === undefined || generation === undefined || proof === undefined) return null;
  const token = { sessionId: decode(id), generation: Number(generation), proof: decode(proof) };
  const isCanonical = encodeBytes(token.sessionId) === id && encodeBytes(token.proof) === proof;
  return isCanonical && String(token.generation) === generation ? token : null;
}

export function isGenuine(
  keys: ServerKeys,
  session: { readonly id: Bytes; readonly token_seed: Bytes },
  token: RefreshToken,
): boolean {
  return timingSafeEqual(proofOf(keys, session, token.generation), token.proof);
}

function proofOf(
  keys: ServerKeys,
  session: { readonly id: Bytes; readonly token_seed: Bytes },
  generation: number,
): Bytes {
  return keys.tokenMac('sotto/v1/refresh', session.id, session.token_seed, uint64(generation));
}

function decode(text: string): Bytes {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
