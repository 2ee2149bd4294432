import { openCommitted, sealCommitted, type SealPlace } from '../primitives/committed-seal.ts';
import {
  Fields,
  header,
  hkdf,
  isEqual,
  join,
  lp,
  readHeader,
  u32,
  zeros,
  type Bytes,
} from '../protocol/conventions.ts';
import { refuse } from '../protocol/refusal.ts';

/** The keys that derive from an account key (SPEC.md §4.1). */
const deriveFrom =
  (label: string) =>
  (accountKey: Bytes, accountId: Bytes): Bytes =>
    hkdf(accountKey, lp(label, accountId), 32);
export const vaultHeadKey = deriveFrom('sotto/v1/vault-head-key');
export const keyslotListKey = deriveFrom('sotto/v1/keyslot-list-key');
export const draftKey = deriveFrom('sotto/v1/draft-key');

/** Kind byte of SPEC.md §4.3 = place in this list + 1. */
export const keyslotKinds = ['password', 'recovery', 'passkey', 'device'] as const;
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
/** Without a name tag it is of version 1. */
export type KeyslotContent = {
  accountId: Bytes;
  serverStaticPublicKey: Bytes;
  accountKey: Bytes;
  nameTag?: Bytes;
};

const stretchingProfiles = ['argon2id-64mib-3'];
const bodyLengths = [0, 166, 198];

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

/** Wraps an account key (SPEC.md §4.2): 198 bytes, or 166 in version 1. */
export function wrapKeyslot(
  wrapping: { key: Bytes; place: KeyslotPlace; epoch: number; salt: Bytes },
  content: KeyslotContent,
): Bytes {
  const nameTag = content.nameTag ?? zeros(0);
  const sealedHeader = header(wrapping.epoch, content.nameTag === undefined ? 1 : 2);
  const plaintext = join(content.accountId, content.serverStaticPublicKey, content.accountKey, nameTag);
  const place = placeOf(wrapping.key, wrapping.place, sealedHeader);
  return join(sealedHeader, sealCommitted(place, plaintext, wrapping.salt));
}

/** @param typedTag - Of the name that was typed; null where none was. */
export function unwrapKeyslot(
  key: Bytes,
  place: KeyslotPlace,
  body: Bytes,
  typedTag: Bytes | null = null,
): KeyslotContent & { epoch: number } {
  const { header: sealedHeader, version, epoch, rest } = readHeader(body, 2);
  if (body.length !== bodyLengths[version]) refuse('malformed');
  const fields = new Fields(openCommitted(placeOf(key, place, sealedHeader), rest));
  const content = {
    epoch,
    accountId: fields.bytes(16),
    serverStaticPublicKey: fields.bytes(32),
    accountKey: fields.bytes(32),
  };
  if (version === 1) return content;
  const nameTag = fields.bytes(32);
  return typedTag === null || isEqual(typedTag, nameTag) ? { ...content, nameTag } : refuse('open-failed');
}
