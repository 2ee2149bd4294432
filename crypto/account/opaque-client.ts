import type { StretchingProfile } from '../protocol/messages/account-messages.ts';
import { type Bytes, fromBase64Url } from '../protocol/bytes/bytes.ts';
import { CryptoError } from '../protocol/bytes/errors.ts';
import { Secret } from '../protocol/bytes/secret.ts';
import { opaque, opaqueIdentifiers, refuseMalformed, requireOpaqueMessage } from '../sign-in/opaque-library.ts';

export { opaqueReady } from '../sign-in/opaque-library.ts';

/** Longest password in UTF-16 units. */
export const maximumPasswordLength = 1024;

/** Argon2id by profile, `memory` in KiB (SPEC.md §3.3). Compiled in: the relay can only name one of these. */
const stretchingParameters = {
  'argon2id-64mib-3': { 'argon2id-custom': { iterations: 3, memory: 65_536, parallelism: 4 } },
} as const satisfies Record<StretchingProfile, unknown>;

/** The client keeps this between two messages of OPAQUE; single use. Strings: they cannot be wiped. */
export type OpaqueStart = { readonly state: string; readonly request: string };

export type OpaqueKeys = {
  /** 64 bytes; the password's keyslot is wrapped under what derives from it. */
  readonly exportKey: Secret<'ExportKey'>;
  /** base64url; to compare with the one in the keyslot: OPAQUE itself accepts any at registration. */
  readonly serverStaticPublicKey: string;
};

/** Steps work on the password as typed, in NFC: two keyboards must give the same bytes (SPEC.md §3.2). */
function preparePassword(password: string): string {
  const prepared = password.normalize('NFC');
  if (prepared.length === 0) throw new CryptoError('invalid-argument');
  if (prepared.length > maximumPasswordLength) throw new CryptoError('too-long');
  if (!prepared.isWellFormed()) throw new CryptoError('invalid-argument');
  return prepared;
}

function exportKeyOf(text: string): Secret<'ExportKey'> {
  const bytes: Bytes = fromBase64Url(text);
  if (bytes.length !== 64) throw new CryptoError('malformed');
  return new Secret('ExportKey', bytes);
}

/** First step of sign-up and of a password change (RFC 9807 §5.2). @throws {CryptoError} `too-long`, `invalid-argument`. */
export function startRegistration(password: string): OpaqueStart {
  const { client } = opaque();
  const started = client.startRegistration({ password: preparePassword(password) });
  return { state: started.clientRegistrationState, request: started.registrationRequest };
}

/**
 * Last step of a registration.
 *
 * @param input.stretching - Always the last of `stretchingProfiles`, whatever the relay names.
 * @throws {CryptoError} `malformed` for what is no registration response.
 */
export function finishRegistration(input: {
  readonly password: string;
  readonly state: string;
  readonly response: string;
  readonly stretching: StretchingProfile;
}): OpaqueKeys & { readonly record: string } {
  const { client } = opaque();
  const password = preparePassword(input.password);
  requireOpaqueMessage('registrationResponse', input.response);
  const finished = refuseMalformed(() =>
    client.finishRegistration({
      password,
      registrationResponse: input.response,
      clientRegistrationState: input.state,
      identifiers: opaqueIdentifiers,
      keyStretching: stretchingParameters[input.stretching],
    }),
  );
  return {
    record: finished.registrationRecord,
    exportKey: exportKeyOf(finished.exportKey),
    serverStaticPublicKey: finished.serverStaticPublicKey,
  };
}

/** First step of a login. @throws {CryptoError} `too-long`, `invalid-argument`. */
export function startLogin(password: string): OpaqueStart {
  const { client } = opaque();
  const started = client.startLogin({ password: preparePassword(password) });
  return { state: started.clientLoginState, request: started.startLoginRequest };
}

/**
 * Last step of a login.
 *
 * @param input.stretching - The profile that the relay names, out of the compiled-in list.
 * @returns null for a wrong password, another server identity, another profile and an unknown account alike.
 * @throws {CryptoError} `malformed` for what is no login response.
 */
export function finishLogin(input: {
  readonly password: string;
  readonly state: string;
  readonly response: string;
  readonly stretching: StretchingProfile;
}): null | (OpaqueKeys & { readonly finish: string }) {
  const { client } = opaque();
  const password = preparePassword(input.password);
  requireOpaqueMessage('loginResponse', input.response);
  const finished = refuseMalformed(() =>
    client.finishLogin({
      password,
      loginResponse: input.response,
      clientLoginState: input.state,
      identifiers: opaqueIdentifiers,
      keyStretching: stretchingParameters[input.stretching],
    }),
  );
  if (finished === undefined) return null;
  return {
    finish: finished.finishLoginRequest,
    exportKey: exportKeyOf(finished.exportKey),
    serverStaticPublicKey: finished.serverStaticPublicKey,
  };
}
