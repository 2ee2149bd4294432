import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { encodeBytes } from '../../api/route/wire-bytes.ts';
import type { ServerKeys } from '../keys/server-keys.ts';

/** Names that one browser is remembered for; a ninth takes the place of the one that was longest not signed in with. */
const maximumNames = 8;
/** A proof is good in the period that it was made in and in four more: 320 to 400 days, which each sign-in begins anew. */
const periodMs = 80 * 24 * 3_600_000;
const goodPeriods = 5;
const pattern = new RegExp(`^2\\.([A-Za-z0-9_-]{22})((?:\\.[A-Za-z0-9_-]{43}){1,${maximumNames}})$`);

/**
 * A random id, and a keyed hash over it, the period and each name that was signed in with there. It says nothing of the name
 * and nothing of the time.
 */
type KnownDevice = { readonly id: Bytes; readonly proofs: readonly string[] };

/**
 * Whose attempts an attempt on a name counts among: the device's own where somebody has proven there before to be the owner,
 * else those of everybody who knows the name. Strangers then keep nobody out of a browser that was signed in before.
 *
 * @param cookie - The cookie as it came: one that is not ours, is another name's, or is too old counts like none.
 */
export function attemptSubject(keys: ServerKeys, cookie: string | null, nameHash: Bytes, nowMs: number): Bytes {
  const device = parseDevice(cookie);
  if (device === null) return nameHash;
  const good = goodProofs(keys, device.id, nameHash, nowMs).map((proof) => Buffer.from(proof));
  const isKnown = device.proofs.some((candidate) =>
    good.some((proof) => timingSafeEqual(Buffer.from(candidate), proof)),
  );
  return isKnown ? keys.tokenMac('sotto/v1/device-attempts', nameHash, device.id) : nameHash;
}

/** The cookie's value from now on, for whoever has proven to be the owner of a name. */
export function rememberDevice(keys: ServerKeys, cookie: string | null, nameHash: Bytes, nowMs: number): string {
  const device = parseDevice(cookie) ?? { id: new Uint8Array(randomBytes(16)), proofs: [] };
  const [newest = '', ...older] = goodProofs(keys, device.id, nameHash, nowMs);
  const others = device.proofs.filter((candidate) => candidate !== newest && !older.includes(candidate));
  return ['2', encodeBytes(device.id), newest, ...others].slice(0, 2 + maximumNames).join('.');
}

function parseDevice(cookie: string | null): KnownDevice | null {
  const [, id, proofs] = pattern.exec(cookie ?? '') ?? [];
  if (id === undefined || proofs === undefined) return null;
  return { id: new Uint8Array(Buffer.from(id, 'base64url')), proofs: proofs.slice(1).split('.') };
}

/** The newest first. */
function goodProofs(keys: ServerKeys, id: Bytes, nameHash: Bytes, nowMs: number): string[] {
  const newest = Math.floor(nowMs / periodMs);
  return Array.from({ length: goodPeriods }, (_, age) => {
    const period = Buffer.alloc(4);
    period.writeInt32BE(newest - age);
    return encodeBytes(keys.tokenMac('sotto/v1/known-device', nameHash, id, period));
  });
}
