import { type Bytes, randomBytes } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { labelled } from '../protocol/bytes/hash.ts';
import { deriveBytes } from '../primitives/hkdf.ts';
import { Secret } from '../protocol/bytes/secret.ts';

export const turnKeyLength = 32;
export const stopTokenLength = 32;

/** Opens one turn's reply on every device: it lies in the message item and in the sealed request. */
export type TurnKey = Secret<'TurnKey'>;

/** Draws the key of one turn. Regenerating a reply is a new turn with a new key. */
export function generateTurnKey(): TurnKey {
  return new Secret('TurnKey', randomBytes(turnKeyLength));
}

/**
 * Derives the token that a device shows to the enclave to stop a turn (SPEC.md §8.4); it opens nothing.
 *
 * @param turnId - 16 bytes.
 * @returns 32 bytes.
 * @throws {CryptoError} `invalid-argument`.
 */
export function deriveStopToken(input: { readonly turnKey: TurnKey; readonly turnId: Uint8Array }): Bytes {
  if (input.turnId.length !== 16) throw new CryptoError('invalid-argument');
  return deriveBytes({
    key: input.turnKey.expose(),
    info: labelled('sotto/v1/stop', input.turnId),
    length: stopTokenLength,
  });
}
