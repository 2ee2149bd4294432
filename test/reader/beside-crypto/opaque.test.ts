import { randomInt } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import * as client from '../../../crypto/account/opaque-client.ts';
import * as server from '../../../crypto/sign-in/opaque-server.ts';
import { decodeBase64url, encodeBase64url } from '../protocol/conventions.ts';
import { random } from './outcomes.ts';
import { blindPassword, finishLogin, finishRegistration, startLogin } from '../account/opaque.ts';
import { codeOf } from '../vectors/vectors.ts';

beforeAll(server.opaqueReady);

const userIdentifier = 'one-account';
const stretching = 'argon2id-64mib-3';
const scalar = (): bigint => BigInt(randomInt(2, 2 ** 47)) * BigInt(randomInt(2, 2 ** 47));

/** Typed with a letter and its accent apart, so that NFC has something to do. */
const password = 'Zu\u0308rich \ufb01n 🏔';

function registerAsReader(setup: string): { record: string; exportKey: Uint8Array } {
  const blinded = blindPassword(password, scalar());
  const request = encodeBase64url(blinded.message);
  const response = server.answerRegistration({ setup, userIdentifier, request });
  const { record, exportKey } = finishRegistration(blinded, decodeBase64url(response), random(32));
  return { record: encodeBase64url(record), exportKey };
}

function registerAsProduction(setup: string): { record: string; exportKey: Uint8Array } {
  const { state, request } = client.startRegistration(password);
  const response = server.answerRegistration({ setup, userIdentifier, request });
  const { record, exportKey } = client.finishRegistration({ password, state, response, stretching });
  return { record, exportKey: exportKey.expose() };
}

/** Gives what a sign-in as the reader gives, and tells if the relay took it. */
function signInAsReader(setup: string, record: string | null, typed: string) {
  const start = startLogin(typed, scalar(), random(32), scalar());
  const request = encodeBase64url(start.request);
  const login = server.startServerLogin({ setup, userIdentifier, record, request });
  const result = finishLogin(start, decodeBase64url(login.response));
  if (result === null) return null;
  const taken = server.finishServerLogin({ state: login.state, finish: encodeBase64url(result.finish) });
  return { ...result, relaySessionKey: taken?.sessionKey };
}

test('OPAQUE: whoever registers, the reader signs in at the production server', () => {
  const setup = server.createOpaqueSetup();
  for (const { record, exportKey } of [registerAsReader(setup), registerAsProduction(setup)]) {
    expect(decodeBase64url(record).length).toBe(192);
    const result = signInAsReader(setup, record, password.normalize('NFC'));
    expect(result?.exportKey).toEqual(exportKey);
    expect(result?.relaySessionKey).toBe(encodeBase64url(result!.sessionKey));
    expect(encodeBase64url(result!.serverStaticPublicKey)).toBe(server.opaqueServerPublicKey(setup));
  }
});

test('OPAQUE: the production client signs in to what the reader registered', () => {
  const setup = server.createOpaqueSetup();
  const { record, exportKey } = registerAsReader(setup);
  const { state, request } = client.startLogin(password);
  const { response } = server.startServerLogin({ setup, userIdentifier, record, request });
  const result = client.finishLogin({ password, state, response, stretching });
  expect(result?.exportKey.expose()).toEqual(exportKey);
});

test('OPAQUE: a wrong password, one that is NFKC of the right one, and an unknown name give the reader nothing', () => {
  const setup = server.createOpaqueSetup();
  const { record } = registerAsProduction(setup);
  expect(signInAsReader(setup, record, password)).not.toBeNull();
  expect(signInAsReader(setup, record, `${password} `)).toBeNull();
  expect(signInAsReader(setup, record, password.normalize('NFKC'))).toBeNull();
  expect(signInAsReader(setup, null, password)).toBeNull();
});

test('OPAQUE: refuses passwords that are none, and responses of another length', () => {
  const passwords = ['', '\ud800', 'a'.repeat(1025), 'a'.repeat(1024)];
  expect(passwords.map((typed) => codeOf(() => blindPassword(typed, 2n)))).toEqual([
    'invalid-argument',
    'invalid-argument',
    'too-long',
    'accepted',
  ]);
  expect(codeOf(() => finishLogin(startLogin('a', 2n, random(32), 2n), random(321)))).toBe('malformed');
});
