import type { KeyslotKind, StretchingProfile } from '../protocol/messages/account-messages.ts';
import {
  type Bytes,
  concat,
  encodeUtf8,
  equalBytes,
  fromBase64Url,
  lengthPrefixed,
  toBase64Url,
  uint32,
} from '../protocol/bytes/bytes.ts';
import { committedSealOverhead, openCommitted, sealCommitted } from '../primitives/committed-seal.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled } from '../protocol/bytes/hash.ts';
import { deriveBytes } from '../primitives/hkdf.ts';
import { decodeSealedHeader, encodeSealedHeader, sealedHeaderLength } from '../primitives/sealed-header.ts';
import { Secret } from '../protocol/bytes/secret.ts';

/** Each kind of keyslot is opened with its own secret; later kinds join here. */
type KeyslotSecrets = {
  readonly password: Secret<'ExportKey'>;
  readonly recovery: Secret<'RecoveryEntropy'>;
};
export type OpenableKeyslotKind = keyof KeyslotSecrets;

const nameTagLength = 32;
/** Account id, server key, account key; from version 2 on also the name tag. */
const plaintextLengths = { 1: 16 + 32 + 32, 2: 16 + 32 + 32 + nameTagLength } as const;
/** `header (6) || salt (32) || commitment (32) || ciphertext (80 or 112) || tag (16)`. */
export function keyslotBodyLength(version: 1 | 2): number {
  return sealedHeaderLength + committedSealOverhead + plaintextLengths[version];
}

/** SPEC.md §4.2: one secret never gives the same key for two kinds. */
export function deriveKeyEncryptionKey<Kind extends OpenableKeyslotKind>(
  kind: Kind,
  secret: KeyslotSecrets[Kind],
): Secret<'KeyEncryptionKey'> {
  const info = labelled('sotto/v1/key-encryption-key', encodeUtf8(kind));
  return new Secret('KeyEncryptionKey', deriveBytes({ key: secret.expose(), info, length: 32 }));
}

type Place = {
  readonly kind: KeyslotKind;
  readonly slotId: Uint8Array;
  /** Rises with every change of the slot, so that an older body of it no longer fits. */
  readonly generation: number;
  /** The profile of the login that opens it; null for a kind that stretches nothing. */
  readonly stretching: StretchingProfile | null;
};

function contextOf(
  place: Place & { keyEncryptionKey: Secret<'KeyEncryptionKey'> },
  header: Uint8Array,
  server: Uint8Array,
) {
  const kind = encodeUtf8(place.kind);
  if (
    place.slotId.length !== 16 ||
    place.generation < 1 ||
    (place.kind === 'password') !== (place.stretching !== null)
  ) {
    throw new CryptoError('invalid-argument');
  }
  const stretching = encodeUtf8(place.stretching ?? '');
  return {
    key: place.keyEncryptionKey.expose(),
    info: labelled('sotto/v1/keyslot', kind, place.slotId),
    associatedData: lengthPrefixed(header, kind, place.slotId, uint32(place.generation), stretching, server),
  };
}

function decodeServerKey(text: string): Bytes {
  const bytes = fromBase64Url(text);
  if (bytes.length !== 32) throw new CryptoError('invalid-argument');
  return bytes;
}

/**
 * Wraps the account key of one epoch for one way in (SPEC.md §4.2).
 *
 * The account id, the relay's OPAQUE key and the tag of the account's name travel inside: a device learns none of them
 * from the relay.
 *
 * @param input.stretching - The registration's profile for `password`, null for every other kind.
 * @param input.serverStaticPublicKey - base64url of 32 bytes, as OPAQUE gave it.
 * @param input.nameTag - null where no name was ever typed: then the slot is of version 1.
 * @returns 198 bytes, 166 in version 1.
 * @throws {CryptoError} `invalid-argument`, `not-ready`.
 */
export function wrapAccountKey(
  input: Place & {
    readonly epoch: number;
    readonly serverStaticPublicKey: string;
    readonly keyEncryptionKey: Secret<'KeyEncryptionKey'>;
    readonly accountId: Uint8Array;
    readonly accountKey: Secret<'AccountKey'>;
    readonly nameTag: Uint8Array | null;
  },
): Bytes {
  const serverKey = decodeServerKey(input.serverStaticPublicKey);
  const nameTag = input.nameTag ?? new Uint8Array(0);
  if (
    input.accountId.length !== 16 ||
    input.accountKey.expose().length !== 32 ||
    (input.nameTag !== null && nameTag.length !== nameTagLength)
  ) {
    throw new CryptoError('invalid-argument');
  }
  const header = encodeSealedHeader(input.epoch, input.nameTag === null ? 1 : 2);
  const context = contextOf(input, header, boundServerKey(input.kind, serverKey));
  const plaintext = concat(input.accountId, serverKey, input.accountKey.expose(), nameTag);
  const body = concat(header, sealCommitted({ ...context, plaintext }));
  plaintext.fill(0);
  return body;
}

/** Only a password login has just met the relay's OPAQUE key; elsewhere there is nothing to bind it to. */
function boundServerKey(kind: KeyslotKind, serverKey: Uint8Array): Uint8Array {
  return kind === 'password' ? serverKey : new Uint8Array(0);
}

/**
 * Opens a keyslot of either version.
 *
 * @param input.serverStaticPublicKey - The key that this login saw for `password`, null for every other kind.
 * @param input.nameTag - The tag of the name that was typed; null for an unlock, which asks for none.
 * @returns also the OPAQUE key of the relay that the account knows: a later registration must show the same; and the tag
 *   of the account's name, null where neither the slot nor the caller knows it.
 * @throws {CryptoError} `open-failed` for another kind, slot, generation, profile, server key, epoch or secret, and for
 *   the slot of another name.
 */
export function unwrapAccountKey(
  input: Place & {
    readonly serverStaticPublicKey: string | null;
    readonly keyEncryptionKey: Secret<'KeyEncryptionKey'>;
    readonly nameTag: Bytes | null;
    readonly body: Uint8Array;
  },
): {
  readonly accountId: Bytes;
  readonly epoch: number;
  readonly accountKey: Secret<'AccountKey'>;
  readonly serverStaticPublicKey: string;
  readonly nameTag: Bytes | null;
} {
  if ((input.kind === 'password') !== (input.serverStaticPublicKey !== null)) throw new CryptoError('invalid-argument');
  const { header, version, epoch, sealed } = decodeSealedHeader(input.body, 2);
  const isNamed = version === 2;
  if (input.body.length !== keyslotBodyLength(isNamed ? 2 : 1)) throw new CryptoError('malformed');
  const seenServerKey =
    input.serverStaticPublicKey === null ? new Uint8Array(0) : decodeServerKey(input.serverStaticPublicKey);
  const context = contextOf(input, header, boundServerKey(input.kind, seenServerKey));
  const plaintext = openCommitted({ ...context, sealed });
  const nameTag = isNamed ? plaintext.slice(80, 80 + nameTagLength) : input.nameTag;
  if (input.nameTag !== null && nameTag !== null && !equalBytes(nameTag, input.nameTag)) {
    plaintext.fill(0);
    throw new CryptoError('open-failed');
  }
  const opened = {
    accountId: plaintext.slice(0, 16),
    epoch,
    accountKey: new Secret('AccountKey', plaintext.slice(48, 80)),
    serverStaticPublicKey: toBase64Url(plaintext.slice(16, 48)),
    nameTag,
  };
  plaintext.fill(0);
  return opened;
}
