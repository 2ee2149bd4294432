import { type StretchingProfile, stretchingProfiles } from '../../../crypto/protocol/messages/account-messages.ts';
import { CryptoError } from '../../../crypto/protocol/bytes/errors.ts';
import { RelayError } from '../../api/route/relay-error.ts';

/** One call of OPAQUE's server half on a client's message. @throws {RelayError} `bad-request` when it is none. */
export function opaqueStep<Result>(step: () => Result): Result {
  try {
    return step();
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'malformed') throw new RelayError('bad-request');
    throw error;
  }
}

/** @throws {Error} for a profile of a later version. */
export function stretchingOf(name: string | undefined): StretchingProfile {
  const profile = stretchingProfiles.find((known) => known === name);
  if (profile === undefined) throw new Error('A record names a stretching profile that this version does not know.');
  return profile;
}
