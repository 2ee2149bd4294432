import { openCommitted, sealCommitted, type SealPlace } from '../primitives/committed-seal.ts';
import { header, join, lp, readHeader, readUtf8, u32, utf8, type Bytes } from '../protocol/conventions.ts';
import { currentKey, keyOfEpoch, type Keyring } from '../account/keyring.ts';
import { draftKey } from '../account/keys.ts';
import { refuse } from '../protocol/refusal.ts';
import { pad, unpad } from '../protocol/size-class.ts';

const dayMs = 86_400_000;

/** Where an item stands: another place opens nothing. */
export type ItemPlace = { itemId: Bytes; version: number; expiresAt: number };

function placeOf(
  key: Bytes,
  accountId: Bytes,
  { itemId, version, expiresAt }: ItemPlace,
  sealedHeader: Bytes,
): SealPlace {
  if (itemId.length !== 16 || version < 1 || expiresAt > 10_000_000) refuse('invalid-argument');
  return {
    key,
    info: lp('sotto/v1/item', accountId, itemId),
    associatedData: lp(sealedHeader, accountId, itemId, u32(version), u32(expiresAt)),
  };
}

/** Seals content under the current epoch (SPEC.md §5.2). */
export function sealItem(keyring: Keyring, place: ItemPlace, content: Bytes, salt: Bytes): Bytes {
  const { epoch, accountKey } = currentKey(keyring);
  const sealedHeader = header(epoch);
  const sealPlace = placeOf(accountKey, keyring.accountId, place, sealedHeader);
  return join(sealedHeader, sealCommitted(sealPlace, pad(content), salt));
}

export function openItem(keyring: Keyring, place: ItemPlace, body: Bytes): Bytes {
  const { header: sealedHeader, epoch, rest } = readHeader(body);
  const sealPlace = placeOf(keyOfEpoch(keyring, epoch), keyring.accountId, place, sealedHeader);
  return unpad(openCommitted(sealPlace, rest));
}

function draftPlaceOf(accountKey: Bytes, accountId: Bytes, draftId: string, sealedHeader: Bytes): SealPlace {
  const id = utf8(draftId);
  if (id.length === 0 || id.length > 64) refuse('invalid-argument');
  return {
    key: draftKey(accountKey, accountId),
    info: lp('sotto/v1/draft', accountId, id),
    associatedData: lp(sealedHeader, accountId, id),
  };
}

/** Text that stays on the device (SPEC.md §5.4). */
export function sealDraft(keyring: Keyring, draftId: string, text: string, salt: Bytes): Bytes {
  const { epoch, accountKey } = currentKey(keyring);
  const sealedHeader = header(epoch);
  const place = draftPlaceOf(accountKey, keyring.accountId, draftId, sealedHeader);
  return join(sealedHeader, sealCommitted(place, pad(utf8(text)), salt));
}

export function openDraft(keyring: Keyring, draftId: string, body: Bytes): string {
  const { header: sealedHeader, epoch, rest } = readHeader(body);
  const place = draftPlaceOf(keyOfEpoch(keyring, epoch), keyring.accountId, draftId, sealedHeader);
  return readUtf8(unpad(openCommitted(place, rest)));
}

/** Days since 1970, rounded up (SPEC.md §5.3). */
export const expiryDay = (timeMs: number): number => Math.ceil(timeMs / dayMs);

/** True if a client may accept that a relay no longer has an item's body (SPEC.md §5.3). */
export const mayBodyBeMissing = (expiresAt: number, nowMs: number): boolean =>
  expiresAt !== 0 && nowMs > (expiresAt + 1) * dayMs;
