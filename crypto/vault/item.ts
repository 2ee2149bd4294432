import { accountKeyOf, currentAccountKey, type Keyring } from '../account/keyring.ts';
import { type Bytes, concat, lengthPrefixed, uint32 } from '../protocol/bytes/bytes.ts';
import { committedSealOverhead, openCommitted, sealCommitted } from '../primitives/committed-seal.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled } from '../protocol/bytes/hash.ts';
import { decodeSealedHeader, encodeSealedHeader, sealedHeaderLength } from '../primitives/sealed-header.ts';
import type { Secret } from '../protocol/bytes/secret.ts';
import { maximumContentLength, padToSizeClass, sizeClassOf, unpadSizeClass } from '../protocol/bytes/size-class.ts';

/** An item body adds this to its padded content: 86 bytes. */
export const itemOverhead = sealedHeaderLength + committedSealOverhead;

/** @returns the length of the body that `sealItem` makes of a content of this length. @throws {CryptoError} `too-long`. */
export function sealedItemLength(contentLength: number): number {
  if (contentLength > maximumContentLength) throw new CryptoError('too-long');
  return itemOverhead + sizeClassOf(4 + contentLength);
}

/** Where an item stands. Authenticated and not sent: a body opens in this place and in no other. */
export type ItemPlace = {
  /** 16 random bytes. */
  readonly itemId: Uint8Array;
  /** 1 for a new item; each change is its successor. */
  readonly version: number;
  /** Days since 1970-01-01, rounded up; 0 for "kept until deleted". */
  readonly expiresAt: number;
};

function contextOf(
  accountId: Uint8Array,
  accountKey: Secret<'AccountKey'>,
  place: ItemPlace,
  header: Uint8Array,
): { key: Bytes; info: Bytes; associatedData: Bytes } {
  const { itemId, version, expiresAt } = place;
  if (itemId.length !== 16 || version < 1) throw new CryptoError('invalid-argument');
  return {
    key: accountKey.expose(),
    info: labelled('sotto/v1/item', accountId, itemId),
    associatedData: lengthPrefixed(header, accountId, itemId, uint32(version), uint32(expiresAt)),
  };
}

/**
 * Seals one version of an item under a key of its own (XChaCha20-Poly1305, SPEC.md §5.2).
 *
 * @param input.content - 0 to 16 MiB - 4; `sealContent` writes it from a typed content.
 * @returns `header (6) || salt (32) || commitment (32) || ciphertext || tag (16)`, 86 bytes longer than the size class.
 * @throws {CryptoError} `too-long`, `invalid-argument`, `not-ready`.
 */
export function sealItem(input: ItemPlace & { readonly keyring: Keyring; readonly content: Uint8Array }): Bytes {
  const { keyring } = input;
  const header = encodeSealedHeader(keyring.currentEpoch);
  const context = contextOf(keyring.accountId, currentAccountKey(keyring), input, header);
  const plaintext = padToSizeClass(input.content);
  const body = concat(header, sealCommitted({ ...context, plaintext }));
  plaintext.fill(0);
  return body;
}

/**
 * Opens one version of an item. That it is the newest, only its leaf in the vault head can say (SPEC.md §6).
 *
 * @throws {CryptoError} `open-failed` for another account, item, version, expiry or key, and for changed bytes;
 *   `unknown-key` for an epoch that the keyring lacks; `malformed`, `unsupported-version`, `unsupported-suite`.
 */
export function openItem(input: ItemPlace & { readonly keyring: Keyring; readonly body: Uint8Array }): Bytes {
  const { keyring } = input;
  const { header, epoch, sealed } = decodeSealedHeader(input.body);
  const context = contextOf(keyring.accountId, accountKeyOf(keyring, epoch), input, header);
  const plaintext = openCommitted({ ...context, sealed });
  const content = unpadSizeClass(plaintext);
  plaintext.fill(0);
  return content;
}
