import type Sodium from 'libsodium-wrappers';
import { CryptoError } from '../protocol/bytes/errors.ts';

let loaded: typeof Sodium | undefined;

/**
 * Loads libsodium. Awaited once before anything is sealed or opened; after it every call is synchronous.
 *
 * The import is dynamic so that signing in, which needs OPAQUE only, does not wait for these 125 KB.
 */
export async function sodiumReady(): Promise<void> {
  const library = (await import('libsodium-wrappers')).default;
  await library.ready;
  loaded = library;
}

/** @throws {CryptoError} `not-ready` before `sodiumReady()` has resolved. */
export function sodium(): typeof Sodium {
  if (loaded === undefined) throw new CryptoError('not-ready');
  return loaded;
}
