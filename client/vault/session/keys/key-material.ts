import { deriveKeyslotListKey } from '../../../../crypto/account/account-key.ts';
import { type Keyring, openKeyring } from '../../../../crypto/account/keyring.ts';
import { unwrapAccountKey } from '../../../../crypto/account/keyslot.ts';
import { digestKeyslotList, isListedKeyslot, openKeyslotList } from '../../../../crypto/account/keyslot-list.ts';
import type { KeyMaterial, SessionAnswer } from '../../../../crypto/protocol/messages/account-messages.ts';
import { type Bytes, equalBytes, fromBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import { type CheckedHead, openSignInHead } from '../../store/head-check.ts';
import type { KeyslotKey } from './make-keyslot.ts';
import type { AccountSession } from './session-key.ts';
import { VaultError } from '../../failures/vault-error.ts';

/** The result of a sign-in by any factor. */
export type SignedIn = {
  readonly session: SessionAnswer;
  readonly account: AccountSession;
  readonly head: CheckedHead;
};

type Opener = KeyslotKey & {
  /** The OPAQUE key that this login saw, for `password` only. */
  readonly serverStaticPublicKey: string | null;
  /** The tag of the name that was typed; null for an unlock. */
  readonly nameTag: Bytes | null;
};

/**
 * Opens what the relay released and checks it against itself. The account must list the slot, under its own MAC, in the list
 * that the newest head names (M5, M7, M8, M9).
 *
 * @param opener - Its key is wiped, whatever becomes of it.
 * @throws {VaultError} `vault-tampered`; `other-version` for a version of a newer client.
 */
export function openKeyMaterial(
  keys: KeyMaterial,
  opener: Opener,
): { keyring: Keyring; serverStaticPublicKey: string; nameTag: Bytes | null; head: CheckedHead } {
  try {
    return openChecked(keys, opener);
  } catch (error) {
    if (error instanceof VaultError) throw error;
    const isNewer =
      error instanceof CryptoError && (error.code === 'unsupported-version' || error.code === 'unsupported-suite');
    if (isNewer || error instanceof CryptoError) throw new VaultError(isNewer ? 'other-version' : 'vault-tampered');
    throw error;
  } finally {
    opener.keyEncryptionKey.wipe();
  }
}

function openChecked(keys: KeyMaterial, opener: Opener) {
  const { keyslot } = keys;
  if (keyslot.kind !== opener.kind) throw new VaultError('vault-tampered');
  const place = {
    kind: keyslot.kind,
    slotId: fromBase64Url(keyslot.slotId),
    generation: keyslot.generation,
    body: fromBase64Url(keyslot.body),
  };
  const opened = unwrapAccountKey({ ...opener, ...place });
  const { accountId, epoch, accountKey, serverStaticPublicKey, nameTag } = opened;
  const keyring = openKeyring({
    accountId,
    epoch,
    accountKey,
    body: keys.keyring === null ? null : fromBase64Url(keys.keyring),
  });
  const listBody = fromBase64Url(keys.keyslotList.body);
  const list = openKeyslotList({ listKey: deriveKeyslotListKey({ accountId, accountKey }), body: listBody });
  const head = openSignInHead(keyring, keys.head);
  const isOwn =
    list.epoch === epoch &&
    isListedKeyslot(list, place) &&
    equalBytes(digestKeyslotList(listBody), head.opened.keyslotListDigest);
  if (!isOwn) throw new VaultError('vault-tampered');
  return { keyring, serverStaticPublicKey, nameTag, head };
}
