import { deriveDraftKey } from '../account/account-key.ts';
import { accountKeyOf, type Keyring } from '../account/keyring.ts';
import { type Bytes, concat, decodeUtf8, encodeUtf8, lengthPrefixed } from '../protocol/bytes/bytes.ts';
import { openCommitted, sealCommitted } from '../primitives/committed-seal.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled } from '../protocol/bytes/hash.ts';
import { decodeSealedHeader, encodeSealedHeader } from '../primitives/sealed-header.ts';
import { padToSizeClass, unpadSizeClass } from '../protocol/bytes/size-class.ts';

function contextOf(keyring: Keyring, epoch: number, placeId: string, header: Uint8Array) {
  const id = encodeUtf8(placeId);
  if (id.length === 0 || id.length > 64) throw new CryptoError('invalid-argument');
  const { accountId } = keyring;
  return {
    key: deriveDraftKey({ accountId, accountKey: accountKeyOf(keyring, epoch) }).expose(),
    info: labelled('sotto/v1/draft', accountId, id),
    associatedData: lengthPrefixed(header, accountId, id),
  };
}

/**
 * Seals unsent text for this device's own storage (SPEC.md §5.4). It never leaves the device, but storage outlives a lock.
 *
 * @param input.placeId - The place that it belongs to, 1 to 64 bytes of UTF-8: a draft opens in no other.
 * @param input.text - Up to 16 MiB of UTF-8, padded, so that its length does not show on disk.
 * @throws {CryptoError} `too-long`, `invalid-argument`, `not-ready`.
 */
export function sealUnsentText(input: {
  readonly keyring: Keyring;
  readonly placeId: string;
  readonly text: string;
}): Bytes {
  const header = encodeSealedHeader(input.keyring.currentEpoch);
  const context = contextOf(input.keyring, input.keyring.currentEpoch, input.placeId, header);
  return concat(header, sealCommitted({ ...context, plaintext: padToSizeClass(encodeUtf8(input.text)) }));
}

/** @throws {CryptoError} `open-failed`, `unknown-key`, `malformed`, `unsupported-version`, `unsupported-suite`. */
export function openUnsentText(input: {
  readonly keyring: Keyring;
  readonly placeId: string;
  readonly body: Uint8Array;
}): string {
  const { header, epoch, sealed } = decodeSealedHeader(input.body);
  const context = contextOf(input.keyring, epoch, input.placeId, header);
  return decodeUtf8(unpadSizeClass(openCommitted({ ...context, sealed })));
}
