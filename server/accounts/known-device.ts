import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Bytes } from '../../crypto/primitives/bytes.ts';
import { encodeBytes } from '../vault/wire-bytes.ts';
import type { ServerKeys } from './server-keys.ts';

/** Names that one browser is remembered for; a ninth takes the place of the one that was longest not signed in with. */
const maximumNames = 8;
const pattern = new RegExp(`^1\\.([A-Za-z0-9_-]{22})((?:\\.[A-Za-z0-9_-]{43}){1,${maximumNames}})$`);

/** A random id, and for each name that was signed in with there a keyed hash over both: it says nothing of the name. */
type KnownDevice = { readonly id: Bytes; readonly proofs: readonly string[] };

/**
 * Whose attempts an attempt on a name counts among: the device's own where somebody has proven there before to be the owner,
 * else those of everybody who knows the name. Strangers then keep nobody out of a browser that was signed in before.
 *
 * @param cookie - As it came: what is no cookie of ours, or another name's, counts like none.
 */
export function attemptSubject(keys: ServerKeys, cookie: string | null, nameHash: Bytes): Bytes {
  const device = parseDevice(cookie);
  if (device === null) return nameHash;
  const proof = Buffer.from(proofOf(keys, device.id, nameHash));
  const isKnown = device.proofs.some((candidate) => timingSafeEqual(Buffer.from(candidate), proof));
  return isKnown ? keys.tokenMac('sotto/v1/device-attempts', nameHash, device.id) : nameHash;
}

/** The cookie's value from now on, for whoever has proven to be the owner of a name. */
export function rememberDevice(keys: ServerKeys, cookie: string | null, nameHash: Bytes): string {
  const device = parseDevice(cookie) ?? { id: new Uint8Array(randomBytes(16)), proofs: [] };
  const proof = proofOf(keys, device.id, nameHash);
  const others = device.proofs.filter((candidate) => candidate !== proof);
  return ['1', encodeBytes(device.id), proof, ...others].slice(0, 2 + maximumNames).join('.');
}

function parseDevice(cookie: string | null): KnownDevice | null {
  const [, id, proofs] = pattern.exec(cookie ?? '') ?? [];
  if (id === undefined || proofs === undefined) return null;
  return { id: new Uint8Array(Buffer.from(id, 'base64url')), proofs: proofs.slice(1).split('.') };
}

function proofOf(keys: ServerKeys, id: Bytes, nameHash: Bytes): string {
  return encodeBytes(keys.tokenMac('sotto/v1/known-device', nameHash, id));
}
