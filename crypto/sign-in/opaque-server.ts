import { opaque, opaqueIdentifiers, refuseMalformed, requireOpaqueMessage } from './opaque-library.ts';

export { opaqueReady } from './opaque-library.ts';

/**
 * The relay's half of OPAQUE (RFC 9807, SPEC.md §3.2). It opens nothing: passwords and export keys never reach it.
 */

/** A new OPRF seed and key pair. Secret, kept outside the database; a new one makes every older record useless. */
export function createOpaqueSetup(): string {
  return opaque().server.createSetup();
}

/** The public half of a setup, as clients see it in `serverStaticPublicKey`. @throws {CryptoError} `malformed`. */
export function opaqueServerPublicKey(setup: string): string {
  const { server } = opaque();
  requireOpaqueMessage('serverSetup', setup);
  return refuseMalformed(() => server.getPublicKey(setup));
}

/**
 * @param input.userIdentifier - A stable internal id, never the user name: it seeds the OPRF key.
 * @returns the registration response.
 * @throws {CryptoError} `malformed`.
 */
export function answerRegistration(input: {
  readonly setup: string;
  readonly userIdentifier: string;
  readonly request: string;
}): string {
  const { server } = opaque();
  requireOpaqueMessage('registrationRequest', input.request);
  return refuseMalformed(
    () =>
      server.createRegistrationResponse({
        serverSetup: input.setup,
        userIdentifier: input.userIdentifier,
        registrationRequest: input.request,
      }).registrationResponse,
  );
}

/**
 * @param input.record - null for an unknown name: the answer then looks like any other (RFC 9807 §10.9). Give it a
 *   `userIdentifier` that is a keyed hash of the name, so that the same name gives the same answer again.
 * @returns `state`, single use and kept a minute at most, and the login response.
 * @throws {CryptoError} `malformed`.
 */
export function startServerLogin(input: {
  readonly setup: string;
  readonly userIdentifier: string;
  readonly record: string | null;
  readonly request: string;
}): { readonly state: string; readonly response: string } {
  const { server } = opaque();
  requireOpaqueMessage('loginRequest', input.request);
  if (input.record !== null) requireOpaqueMessage('registrationRecord', input.record);
  const started = refuseMalformed(() =>
    server.startLogin({
      serverSetup: input.setup,
      userIdentifier: input.userIdentifier,
      registrationRecord: input.record,
      startLoginRequest: input.request,
      identifiers: opaqueIdentifiers,
    }),
  );
  return { state: started.serverLoginState, response: started.loginResponse };
}

/** @returns null unless the client knew the password; malformed input counts as not knowing it. */
export function finishServerLogin(input: {
  readonly state: string;
  readonly finish: string;
}): null | { readonly sessionKey: string } {
  const { server } = opaque();
  try {
    requireOpaqueMessage('loginFinish', input.finish);
    requireOpaqueMessage('serverState', input.state);
    return server.finishLogin({
      serverLoginState: input.state,
      finishLoginRequest: input.finish,
      identifiers: opaqueIdentifiers,
    });
  } catch {
    return null;
  }
}
