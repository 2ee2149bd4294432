import { openCommitted, sealCommitted, type SealPlace } from './committed-seal.ts';
import { Fields, header, hkdf, join, lp, readHeader, u32, zeros, type Bytes } from './conventions.ts';
import { refuse } from './refusal.ts';

/** The keys that derive from an account key (SPEC.md §4.1). */
const deriveFrom =
  (label: string) =>
  (accountKey: Bytes, accountId: Bytes): Bytes =>
    hkdf(accountKey, lp(label, accountId), 32);
export const vaultHeadKey = deriveFrom('sotto/v1/vault-head-key');
export const keyslotListKey = deriveFrom('sotto/v1/keyslot-list-key');
export const draftKey = deriveFrom('sotto/v1/draft-key');

/** Kind byte of SPEC.md §4.3 = place in this list + 1. */
export const keyslotKinds = ['password', 'recovery', 'passkey', 'device', 'administrator'] as const;
export type KeyslotKind = (typeof keyslotKinds)[number];

/** From the export key or the entropy (SPEC.md §4.2). */
export const keyEncryptionKey = (secret: Bytes, kind: KeyslotKind): Bytes =>
  hkdf(secret, lp('sotto/v1/key-encryption-key', kind), 32);

/** Where a keyslot stands. Profile and server key count for a password only. */
export type KeyslotPlace = {
  kind: KeyslotKind;
  slotId: Bytes;
  generation: number;
  stretching: string | null;
  boundServerKey: Bytes | null;
};
export type KeyslotContent = { accountId: Bytes; serverStaticPublicKey: Bytes; accountKey: Bytes };

const stretchingProfiles = ['argon2id-64mib-3'];
const bodyLength = 166;

function placeOf(key: Bytes, { kind, slotId, generation, ...bound }: KeyslotPlace, sealedHeader: Bytes): SealPlace {
  const isPassword = kind === 'password';
  const stretching = isPassword ? (bound.stretching ?? '') : '';
  if (isPassword && !stretchingProfiles.includes(stretching)) refuse('malformed');
  const serverKey = isPassword ? (bound.boundServerKey ?? zeros(0)) : zeros(0);
  return {
    key,
    info: lp('sotto/v1/keyslot', kind, slotId),
    associatedData: lp(sealedHeader, kind, slotId, u32(generation), stretching, serverKey),
  };
}

/** Wraps an account key (SPEC.md §4.2): 166 bytes. */
export function wrapKeyslot(
  wrapping: { key: Bytes; place: KeyslotPlace; epoch: number; salt: Bytes },
  content: KeyslotContent,
): Bytes {
  const sealedHeader = header(wrapping.epoch);
  const plaintext = join(content.accountId, content.serverStaticPublicKey, content.accountKey);
  const place = placeOf(wrapping.key, wrapping.place, sealedHeader);
  return join(sealedHeader, sealCommitted(place, plaintext, wrapping.salt));
}

export function unwrapKeyslot(key: Bytes, place: KeyslotPlace, body: Bytes): KeyslotContent & { epoch: number } {
  const { header: sealedHeader, epoch, rest } = readHeader(body);
  if (body.length !== bodyLength) refuse('malformed');
  const fields = new Fields(openCommitted(placeOf(key, place, sealedHeader), rest));
  return {
    epoch,
    accountId: fields.bytes(16),
    serverStaticPublicKey: fields.bytes(32),
    accountKey: fields.bytes(32),
  };
}
