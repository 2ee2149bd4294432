import { deriveKeyslotListKey } from '../../../../crypto/account/account-key.ts';
import { currentAccountKey } from '../../../../crypto/account/keyring.ts';
import { wrapAccountKey } from '../../../../crypto/account/keyslot.ts';
import {
  digestKeyslot,
  encodeKeyslotList,
  type KeyslotList,
  type ListedKeyslot,
} from '../../../../crypto/account/keyslot-list.ts';
import type {
  KeyslotKind,
  KeyslotMessage,
  StretchingProfile,
} from '../../../../crypto/protocol/messages/account-messages.ts';
import { type Bytes, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { VaultError } from '../../failures/vault-error.ts';
import type { AccountSession } from './session-key.ts';

/** All that a factor brings to make a keyslot of its kind, or to open one. */
export type KeyslotKey = {
  readonly kind: KeyslotKind;
  readonly keyEncryptionKey: Secret<'KeyEncryptionKey'>;
  /** The profile of its login, for `password` only. */
  readonly stretching: StretchingProfile | null;
};

/** As the account lists it, and as the relay gets it. */
export type MadeKeyslot = { readonly listed: ListedKeyslot; readonly message: KeyslotMessage };

type Account = Pick<AccountSession, 'keyring' | 'serverStaticPublicKey' | 'nameTag'>;

/** Wraps the account key for one more way in. */
export function makeKeyslot(account: Account, key: KeyslotKey): MadeKeyslot {
  return wrapSlot(account, key, { slotId: randomBytes(16), generation: 1 });
}

function wrapSlot(
  { keyring, serverStaticPublicKey, nameTag }: Account,
  key: KeyslotKey,
  place: Pick<ListedKeyslot, 'slotId' | 'generation'>,
): MadeKeyslot {
  const body = wrapAccountKey({
    ...key,
    ...place,
    epoch: keyring.currentEpoch,
    serverStaticPublicKey,
    accountId: keyring.accountId,
    accountKey: currentAccountKey(keyring),
    nameTag,
  });
  const { kind } = key;
  return {
    listed: { ...place, kind, digest: digestKeyslot(body) },
    message: { ...place, kind, slotId: toBase64Url(place.slotId), body: toBase64Url(body) },
  };
}

/** The account's list of all ways in, under its own MAC. */
export function encodeList({ keyring }: Account, slots: readonly ListedKeyslot[]): Bytes {
  const { accountId, currentEpoch: epoch } = keyring;
  const listKey = deriveKeyslotListKey({ accountId, accountKey: currentAccountKey(keyring) });
  return encodeKeyslotList({ listKey, epoch, slots });
}

/**
 * Makes the next generation of the slot of one kind. Every other slot stays as it is listed, also of a kind that no factor of
 * this build opens.
 *
 * @throws {VaultError} `vault-tampered` for a list without that kind.
 */
export function replaceKeyslot(
  account: Account,
  list: KeyslotList,
  key: KeyslotKey,
): { readonly keyslot: KeyslotMessage; readonly listBody: Bytes } {
  const old = list.slots.find(({ kind }) => kind === key.kind);
  if (old === undefined) throw new VaultError('vault-tampered');
  const { listed, message } = wrapSlot(account, key, { slotId: old.slotId, generation: old.generation + 1 });
  const slots = list.slots.map((slot) => (slot === old ? listed : slot));
  return { keyslot: message, listBody: encodeList(account, slots) };
}
