import * as v from 'valibot';
import { beforeAll, describe, expect, it } from 'vitest';
import * as client from '../../../crypto/account/opaque-client.ts';
import * as server from '../../../crypto/sign-in/opaque-server.ts';
import { signInStartAnswer } from '../../../crypto/protocol/messages/account-messages.ts';
import { encodeUtf8, fromBase64Url, randomBytes, toBase64Url, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import * as oracle from '../../parts/crypto/opaque-oracle.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';

const stretching = 'argon2id-64mib-3';
const password = 'correct horse battery staple';
const context = new Uint8Array(0);
const identities = { server: encodeUtf8('sotto/v1') };

let setup: string;
beforeAll(async () => {
  await client.opaqueReady();
  setup = server.createOpaqueSetup();
});

function register(userIdentifier: string, secret = password, relay = setup) {
  const { state, request } = client.startRegistration(secret);
  const response = server.answerRegistration({ setup: relay, userIdentifier, request });
  return client.finishRegistration({ password: secret, state, response, stretching });
}

function login(input: { userIdentifier: string; record: string | null; secret?: string; relay?: string }) {
  const { userIdentifier, record, secret = password, relay = setup } = input;
  const started = client.startLogin(secret);
  const answer = server.startServerLogin({ setup: relay, userIdentifier, record, request: started.request });
  const finished = client.finishLogin({
    password: secret,
    state: started.state,
    response: answer.response,
    stretching,
  });
  return { finished, answer };
}

describe('registration and login', () => {
  it('give the same export key and server key on both ways, and the relay a session key', () => {
    const registered = register('account-1');
    const { finished, answer } = login({ userIdentifier: 'account-1', record: registered.record });
    expect(toHex(finished!.exportKey.expose())).toBe(toHex(registered.exportKey.expose()));
    expect(finished!.exportKey.expose()).toHaveLength(64);
    expect(finished!.serverStaticPublicKey).toBe(registered.serverStaticPublicKey);
    expect(finished!.serverStaticPublicKey).toBe(server.opaqueServerPublicKey(setup));
    const session = server.finishServerLogin({ state: answer.state, finish: finished!.finish });
    expect(fromBase64Url(session!.sessionKey)).toHaveLength(64);
  });

  it('another password, account, setup, or no record: the same null', () => {
    const { record } = register('account-1');
    const other = register('account-2');
    expect(login({ userIdentifier: 'account-1', record }).finished).not.toBeNull();
    expect(login({ userIdentifier: 'account-1', record, secret: `${password} ` }).finished).toBeNull();
    // M7: another account's record, and this record under another account.
    expect(login({ userIdentifier: 'account-1', record: other.record }).finished).toBeNull();
    expect(login({ userIdentifier: 'account-2', record }).finished).toBeNull();
    // M5: a relay with another OPAQUE key.
    const relay = server.createOpaqueSetup();
    expect(login({ userIdentifier: 'account-1', record, relay }).finished).toBeNull();
    expect(login({ userIdentifier: 'account-1', record: null }).finished).toBeNull();
  });

  it('M5: registration accepts any server key, and says which it was', () => {
    const relay = server.createOpaqueSetup();
    const registered = register('account-1', password, relay);
    expect(registered.serverStaticPublicKey).toBe(server.opaqueServerPublicKey(relay));
    expect(registered.serverStaticPublicKey).not.toBe(server.opaqueServerPublicKey(setup));
  });

  it('the same password again gives another export key', () => {
    expect(toHex(register('account-1').exportKey.expose())).not.toBe(toHex(register('account-1').exportKey.expose()));
  });

  it('two spellings of one character are one password', () => {
    const composed = 'caf\u00e9 au lait';
    const { record } = register('account-1', composed);
    expect(login({ userIdentifier: 'account-1', record, secret: 'cafe\u0301 au lait' }).finished).not.toBeNull();
  });

  it.each([
    ['', 'invalid-argument'],
    ['\ud800', 'invalid-argument'],
    ['x'.repeat(client.maximumPasswordLength + 1), 'too-long'],
    ['x'.repeat(client.maximumPasswordLength), 'accepted'],
  ])('password %#: %s', (secret, code) => {
    expect(refusalOf(() => client.startRegistration(secret))).toBe(code);
    expect(refusalOf(() => client.startLogin(secret))).toBe(code);
  });
});

describe('M6: weaker stretching', () => {
  it('a record made without Argon2 does not open under the profile, the same made with it does', () => {
    const secret = encodeUtf8(password);
    const recordWith = (stretch: oracle.Stretch) => {
      const blind = randomBytes(32);
      const request = toBase64Url(oracle.blind(secret, blind));
      const response = fromBase64Url(server.answerRegistration({ setup, userIdentifier: 'account-5', request }));
      const envelopeNonce = randomBytes(32);
      const given = { password: secret, blind, response, envelopeNonce, identities, stretch };
      return toBase64Url(oracle.finishClientRegistration(given).upload);
    };
    const strong = recordWith(oracle.argon2id64MiB3);
    expect(login({ userIdentifier: 'account-5', record: strong }).finished).not.toBeNull();
    const weak = recordWith(oracle.noStretch);
    expect(login({ userIdentifier: 'account-5', record: weak }).finished).toBeNull();
  });

  it('a relay can name no profile that is not compiled in', () => {
    const answer = { format: 1, loginId: toBase64Url(randomBytes(16)), loginResponse: 'AAAA' };
    expect(v.safeParse(signInStartAnswer, { ...answer, stretching }).success).toBe(true);
    expect(v.safeParse(signInStartAnswer, { ...answer, stretching: 'none' }).success).toBe(false);
    expect(v.safeParse(signInStartAnswer, answer).success).toBe(false);
  });
});

describe('M12: an unknown name', () => {
  it('gets an answer of the same length, and the same masked part for the same name is no constant', () => {
    const { record } = register('account-1');
    const request = client.startLogin(password).request;
    const known = server.startServerLogin({ setup, userIdentifier: 'account-1', record, request });
    const unknown = server.startServerLogin({ setup, userIdentifier: 'fake-1', record: null, request });
    expect(unknown.response).toHaveLength(known.response.length);
    expect(unknown.state).toHaveLength(known.state.length);
    // The evaluated element is all that repeats: it depends on name and setup alone, as a real account's does.
    const again = server.startServerLogin({ setup, userIdentifier: 'fake-1', record: null, request });
    const evaluated = (response: string) => toHex(fromBase64Url(response).slice(0, 32));
    expect(evaluated(again.response)).toBe(evaluated(unknown.response));
    expect(again.response).not.toBe(unknown.response);
    const knownAgain = server.startServerLogin({ setup, userIdentifier: 'account-1', record, request });
    expect(evaluated(knownAgain.response)).toBe(evaluated(known.response));
  });

  it('is told apart neither by finishing', () => {
    const { state } = server.startServerLogin({
      setup,
      userIdentifier: 'fake-1',
      record: null,
      request: client.startLogin(password).request,
    });
    expect(server.finishServerLogin({ state, finish: toBase64Url(randomBytes(64)) })).toBeNull();
  });
});

describe('malformed messages', () => {
  const texts = ['', 'A', '!!!', 'AAAA', toBase64Url(new Uint8Array(32)), toBase64Url(new Uint8Array(320).fill(255))];

  it.each(texts)('%j is refused everywhere', (text) => {
    const { state } = client.startRegistration(password);
    const started = client.startLogin(password);
    const finish = { password, response: text, stretching } as const;
    expect(refusalOf(() => client.finishRegistration({ ...finish, state }))).toBe('malformed');
    expect(refusalOf(() => client.finishLogin({ ...finish, state: started.state }))).toBe('malformed');
    expect(refusalOf(() => server.answerRegistration({ setup, userIdentifier: 'a', request: text }))).toBe('malformed');
    const question = { setup, userIdentifier: 'a', record: null };
    expect(refusalOf(() => server.startServerLogin({ ...question, request: text }))).toBe('malformed');
    const broken = { ...question, record: text, request: started.request };
    expect(refusalOf(() => server.startServerLogin(broken))).toBe('malformed');
    const { state: serverState } = server.startServerLogin({ ...question, request: started.request });
    expect(server.finishServerLogin({ state: serverState, finish: text })).toBeNull();
    expect(server.finishServerLogin({ state: text, finish: text })).toBeNull();
  });

  it('M25: bytes behind a message are refused', () => {
    const more = (text: string) => toBase64Url(Uint8Array.of(...fromBase64Url(text), 0));
    const { state, request } = client.startRegistration(password);
    const start = { setup, userIdentifier: 'account-1' };
    expect(refusalOf(() => server.answerRegistration({ ...start, request: more(request) }))).toBe('malformed');
    const response = server.answerRegistration({ ...start, request });
    const registration = { password, state, stretching } as const;
    const longer = { ...registration, response: more(response) };
    expect(refusalOf(() => client.finishRegistration(longer))).toBe('malformed');
    const { record } = client.finishRegistration({ ...registration, response });
    const started = client.startLogin(password);
    const question = { ...start, record, request: started.request };
    expect(refusalOf(() => server.startServerLogin({ ...question, request: more(started.request) }))).toBe('malformed');
    expect(refusalOf(() => server.startServerLogin({ ...question, record: more(record) }))).toBe('malformed');
    const answer = server.startServerLogin(question);
    const login = { password, state: started.state, stretching } as const;
    expect(refusalOf(() => client.finishLogin({ ...login, response: more(answer.response) }))).toBe('malformed');
    const { finish } = client.finishLogin({ ...login, response: answer.response })!;
    expect(server.finishServerLogin({ state: answer.state, finish: more(finish) })).toBeNull();
    expect(server.finishServerLogin({ state: answer.state, finish })).not.toBeNull();
    expect(refusalOf(() => server.opaqueServerPublicKey(more(setup)))).toBe('malformed');
  });

  it('every changed byte of a login response is refused', () => {
    const { record } = register('account-1');
    const started = client.startLogin(password);
    const answer = server.startServerLogin({ setup, userIdentifier: 'account-1', record, request: started.request });
    const response = fromBase64Url(answer.response);
    const open = (bytes: Uint8Array) => {
      try {
        return client.finishLogin({ password, state: started.state, response: toBase64Url(bytes), stretching });
      } catch {
        return null;
      }
    };
    expect(open(response)).not.toBeNull();
    // One place of each field: evaluated element, nonce, masked key, masked envelope, server nonce, key share, MAC.
    for (const place of [0, 32, 64, 96, 192, 224, 256, 319]) {
      expect(open(response.map((byte, at) => (at === place ? byte ^ 1 : byte)))).toBeNull();
    }
    expect(open(response.slice(0, -1))).toBeNull();
  });
});

describe('against the independent OPAQUE', () => {
  it('the oracle as client, the package as server: the same export key, session key, and Argon2id of SPEC.md §3.3', () => {
    const secret = encodeUtf8(password);
    const blind = randomBytes(32);
    const response = server.answerRegistration({
      setup,
      userIdentifier: 'account-3',
      request: toBase64Url(oracle.blind(secret, blind) as Uint8Array<ArrayBuffer>),
    });
    const stretch = oracle.argon2id64MiB3;
    const registered = oracle.finishClientRegistration({
      password: secret,
      blind,
      response: fromBase64Url(response),
      envelopeNonce: randomBytes(32),
      identities,
      stretch,
    });
    const record = toBase64Url(registered.upload);
    // The product's own client signs in with what the oracle registered.
    const { finished } = login({ userIdentifier: 'account-3', record });
    expect(toHex(finished!.exportKey.expose())).toBe(toHex(registered.exportKey));
    expect(toHex(fromBase64Url(finished!.serverStaticPublicKey))).toBe(toHex(registered.serverKey));

    const keyshareSeed = randomBytes(32);
    const ke1 = oracle.startClientLogin({ password: secret, blind, nonce: randomBytes(32), keyshareSeed });
    const answer = server.startServerLogin({ setup, userIdentifier: 'account-3', record, request: toBase64Url(ke1) });
    const ke2 = fromBase64Url(answer.response);
    const session = oracle.finishClientLogin({
      password: secret,
      blind,
      keyshareSeed,
      ke1,
      ke2,
      context,
      identities,
      stretch,
    });
    expect(toHex(session!.exportKey)).toBe(toHex(registered.exportKey));
    const finish = toBase64Url(session!.ke3);
    expect(server.finishServerLogin({ state: answer.state, finish })?.sessionKey).toBe(
      toBase64Url(session!.sessionKey),
    );
    // Another server identity is another exchange.
    const other = { server: encodeUtf8('sotto/v2') };
    expect(
      oracle.finishClientLogin({
        password: secret,
        blind,
        keyshareSeed,
        ke1,
        ke2,
        context,
        identities: other,
        stretch,
      }),
    ).toBeNull();
  });

  it('the package as client, the oracle as server', () => {
    const relay = { oprfSeed: randomBytes(64), secretKey: Uint8Array.of(7, ...new Uint8Array(31)) };
    const identifier = encodeUtf8('account-4');
    const started = client.startRegistration(password);
    const response = toBase64Url(oracle.answerRegistration(relay, identifier, fromBase64Url(started.request)));
    const registered = client.finishRegistration({ password, state: started.state, response, stretching });
    const attempt = client.startLogin(password);
    const answer = oracle.answerLogin({
      setup: relay,
      identifier,
      upload: fromBase64Url(registered.record),
      ke1: fromBase64Url(attempt.request),
      maskingNonce: randomBytes(32),
      nonce: randomBytes(32),
      keyshareSeed: randomBytes(32),
      context,
      identities,
    });
    const finished = client.finishLogin({
      password,
      state: attempt.state,
      response: toBase64Url(answer.ke2),
      stretching,
    });
    expect(finished!.finish).toBe(toBase64Url(answer.expectedKe3));
    expect(toHex(finished!.exportKey.expose())).toBe(toHex(registered.exportKey.expose()));
  });
});
