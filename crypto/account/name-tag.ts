import { type Bytes, encodeUtf8 } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled, sha256 } from '../protocol/bytes/hash.ts';

/** Longest text that is looked at, in UTF-16 units: normalising a longer one would cost without need. */
const maximumInputLength = 256;
const minimumNameLength = 3;
const maximumNameLength = 64;

/** Letters, numbers, marks behind them, and `.` `_` `-` between (SPEC.md §3.1). */
const allowed = /^[\p{L}\p{N}][\p{L}\p{N}\p{Mn}\p{Mc}._-]*$/u;
const punctuationAtEnd = /[._-]$/u;
/** Letters and marks that show as nothing: two names that look the same must not both exist. */
const invisible =
  /\u034F|\u115F|\u1160|\u17B4|\u17B5|\u180B|\u180C|\u180D|\u180F|[\u{FE00}-\u{FE0F}]|[\u{E0100}-\u{E01EF}]/u;

/**
 * The one spelling of a user name (SPEC.md §3.1, frozen: another spelling would be another account).
 *
 * @throws {CryptoError} `invalid-user-name` for 0 to 2 or more than 64 code points, or any outside the allow-list.
 */
export function normaliseUserName(name: string): string {
  if (name.length > maximumInputLength || !name.isWellFormed()) throw new CryptoError('invalid-user-name');
  const normalised = name
    .normalize('NFKC')
    // Phones add a space behind a suggested word. NFKC has made every kind of space this one.
    .replaceAll(/^ +| +$/g, '')
    .toLowerCase()
    // toLowerCase chooses between two sigmas by their place in the word; one of them is enough.
    .replaceAll('\u03C2', '\u03C3')
    .normalize('NFKC');
  const length = Array.from(normalised).length;
  if (length < minimumNameLength || length > maximumNameLength) throw new CryptoError('invalid-user-name');
  if (!allowed.test(normalised) || punctuationAtEnd.test(normalised) || invisible.test(normalised)) {
    throw new CryptoError('invalid-user-name');
  }
  return normalised;
}

/**
 * Derives the tag that the client sends instead of its user name (SPEC.md §3.1).
 *
 * @returns 32 bytes. Names can be guessed: whoever holds the tag can try them.
 * @throws {CryptoError} `invalid-user-name`.
 */
export function deriveNameTag(name: string): Bytes {
  return sha256(labelled('sotto/v1/name', encodeUtf8(normaliseUserName(name))));
}
