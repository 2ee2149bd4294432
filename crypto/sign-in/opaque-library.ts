import type * as Opaque from '@serenity-kit/opaque';
import { fromBase64Url } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';

let loaded: typeof Opaque | undefined;

/** Loads OPAQUE's WebAssembly. Awaited once; after it every call is synchronous. */
export async function opaqueReady(): Promise<void> {
  const library = await import('@serenity-kit/opaque');
  await library.ready;
  loaded = library;
}

/** @throws {CryptoError} `not-ready` before `opaqueReady()` has resolved. */
export function opaque(): typeof Opaque {
  if (loaded === undefined) throw new CryptoError('not-ready');
  return loaded;
}

/**
 * Binds application and version into the key exchange, since the library fixes OPAQUE's context as empty. The client's
 * identifier stays unset: then it is the client's public key, and no name enters the exchange (SPEC.md §3.2).
 */
export const opaqueIdentifiers = { server: 'sotto/v1' } as const;

/** Bytes of each message and of what each side keeps (SPEC.md §3.2). */
export const opaqueLengths = {
  registrationRequest: 32,
  registrationResponse: 64,
  registrationRecord: 192,
  loginRequest: 96,
  loginResponse: 320,
  loginFinish: 64,
  serverSetup: 128,
  serverState: 128,
} as const;

/**
 * Refuses another length: the library reads what it needs and lets bytes behind it pass.
 *
 * @throws {CryptoError} `malformed`.
 */
export function requireOpaqueMessage(kind: keyof typeof opaqueLengths, text: string): void {
  // Long text is not even decoded.
  if (text.length > 512 || fromBase64Url(text).length !== opaqueLengths[kind]) throw new CryptoError('malformed');
}

/** The library throws on what is not a message of OPAQUE, and its texts are not ours to pass on. */
export function refuseMalformed<Result>(step: () => Result): Result {
  try {
    return step();
  } catch {
    throw new CryptoError('malformed');
  }
}
