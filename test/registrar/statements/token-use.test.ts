import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateIdentityKeyPair } from '../../../crypto/evidence/key-statement.ts';
import { fromBase64Url, randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { parseRegistrarStatement } from '../../../crypto/evidence/modal/registrar-statement.ts';
import { TestRegistrar } from '../../parts/evidence/modal/test-registrar.ts';

let registrar: TestRegistrar;
beforeAll(async () => {
  registrar = await TestRegistrar.start();
});
afterAll(() => registrar.stop());

describe('a token registers one key, once', () => {
  test('the same key again, another key, and all of it after kill -9', async () => {
    const token = registrar.issuer.makeToken();
    const identity = generateIdentityKeyPair();
    expect((await registrar.register(identity, token)).status).toBe(200);
    const replay = async () => (await registrar.register(identity, token)).body.error;
    const second = async () => (await registrar.register(generateIdentityKeyPair(), token)).body.error;
    expect([await replay(), await second()]).toEqual(['token-used', 'token-used']);
    await registrar.kill();
    await registrar.run();
    expect([await replay(), await second()]).toEqual(['token-used', 'token-used']);
    // The key itself goes on.
    expect((await registrar.renew(identity)).status).toBe(200);
  });

  test('two keys at the same moment: one of them', async () => {
    const token = registrar.issuer.makeToken();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => registrar.register(generateIdentityKeyPair(), token)),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 7 }, () => 409),
    ]);
  });

  test('another spelling of the same token is the same token', async () => {
    const token = registrar.issuer.makeToken();
    expect((await registrar.register(generateIdentityKeyPair(), token)).status).toBe(200);
    // Left-over bits of the last character, which a lax reader passes over.
    const last = token.at(-1) ?? '';
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const other = token.slice(0, -1) + digits[digits.indexOf(last) ^ 1];
    const { body } = await registrar.register(generateIdentityKeyPair(), other);
    expect(body.error).toBe('token-refused');
  });

  test('a renewed token of a container that has its key registers no second one, also after kill -9', async () => {
    const renewed = (container: string) => registrar.issuer.makeToken({ claims: { container_id: container } });
    const identity = generateIdentityKeyPair();
    expect((await registrar.register(identity, renewed('ta-one'))).status).toBe(200);
    const stolen = async () => (await registrar.register(generateIdentityKeyPair(), renewed('ta-one'))).body.error;
    expect(await stolen()).toBe('token-used');
    await registrar.kill();
    await registrar.run();
    expect(await stolen()).toBe('token-used');
    expect((await registrar.renew(identity)).status).toBe(200);
    expect((await registrar.register(generateIdentityKeyPair(), renewed('ta-two'))).status).toBe(200);
  });

  test('a key that one token registered is not registered by a second', async () => {
    const identity = generateIdentityKeyPair();
    expect((await registrar.register(identity)).status).toBe(200);
    expect((await registrar.register(identity)).body.error).toBe('identity-known');
    expect((await registrar.register()).status).toBe(200);
  });
});

describe('possession', () => {
  const identityToken = () => registrar.issuer.makeToken();

  test('a challenge is good once', async () => {
    const token = identityToken();
    const proof = await registrar.prove(generateIdentityKeyPair(), { kind: 'register', identityToken: token });
    const call = { format: 1, identityToken: token, ...proof };
    expect((await registrar.post('/v1/register', call)).status).toBe(200);
    expect((await registrar.post('/v1/register', call)).body.error).toBe('challenge-refused');
  });

  test('refuses a challenge of its own making, a changed one, and one from before a restart', async () => {
    const token = identityToken();
    const identity = generateIdentityKeyPair();
    const proof = await registrar.prove(identity, { kind: 'register', identityToken: token });
    const changed = fromBase64Url(proof.challenge);
    changed[7]! ^= 1;
    for (const challenge of [toBase64Url(randomBytes(32)), toBase64Url(changed)]) {
      const answer = await registrar.post('/v1/register', { format: 1, identityToken: token, ...proof, challenge });
      expect(answer.body.error).toBe('challenge-refused');
    }
    await registrar.kill();
    await registrar.run();
    const answer = await registrar.post('/v1/register', { format: 1, identityToken: token, ...proof });
    expect(answer.body.error).toBe('challenge-refused');
    // None of these used the token up.
    expect((await registrar.register(identity, token)).status).toBe(200);
  });

  test("refuses another's key, another token, another purpose", async () => {
    const token = identityToken();
    const identity = generateIdentityKeyPair();
    const register = async (changes: object) =>
      (
        await registrar.post('/v1/register', {
          format: 1,
          identityToken: token,
          ...(await registrar.prove(identity, { kind: 'register', identityToken: token })),
          ...changes,
        })
      ).body.error;
    const other = toBase64Url(generateIdentityKeyPair().publicKey);
    expect(await register({ identityPublicKey: other })).toBe('possession-refused');
    expect(await register({ identityToken: identityToken() })).toBe('possession-refused');
    const renewal = await registrar.prove(identity, { kind: 'renew' });
    expect(await register(renewal)).toBe('possession-refused');
    expect((await registrar.register(identity, token)).status).toBe(200);
  });
});

describe('renew', () => {
  test('a new statement of the same container, without a token', async () => {
    const identity = generateIdentityKeyPair();
    const first = (await registrar.register(identity)).body;
    const { status, body } = await registrar.renew(identity);
    expect(status).toBe(200);
    const read = (evidence: typeof body.evidence) => parseRegistrarStatement(fromBase64Url(evidence.statement));
    const { issuedAtMs, notAfterMs, ...stated } = read(body.evidence);
    expect(read(first.evidence)).toMatchObject(stated);
    expect(issuedAtMs).toBeGreaterThanOrEqual(read(first.evidence).issuedAtMs);
    expect(notAfterMs - issuedAtMs).toBe(3_600_000);
    expect(body.evidence.leafIndex).toBeGreaterThan(first.evidence.leafIndex);
    expect(body.renewableUntilMs).toBe(first.renewableUntilMs);
  });

  test('not for a key that nobody registered', async () => {
    expect((await registrar.renew(generateIdentityKeyPair())).body.error).toBe('not-registered');
  });

  test('not more than a few times a minute', async () => {
    const identity = generateIdentityKeyPair();
    expect((await registrar.register(identity)).status).toBe(200);
    const codes: number[] = [];
    for (let count = 0; count < 7; count++) codes.push((await registrar.renew(identity)).status);
    expect(codes).toEqual([200, 200, 200, 200, 200, 200, 429]);
    // Nobody else is kept waiting for it.
    expect((await registrar.register()).status).toBe(200);
  });

  test('a day after its token was made a container is over, whatever the token says', async () => {
    const nowS = Math.floor(Date.now() / 1000);
    const token = registrar.issuer.makeToken({ claims: { iat: nowS - 600, exp: nowS + 172_800 } });
    const { body } = await registrar.register(generateIdentityKeyPair(), token);
    expect(body.renewableUntilMs).toBe((nowS - 600 + 86_400) * 1000);
  });

  test('not for a deployment that was taken out of the settings', async () => {
    const identity = generateIdentityKeyPair();
    expect((await registrar.register(identity)).status).toBe(200);
    await registrar.kill();
    await registrar.run({ MODAL_FUNCTION_ID: 'fu-other' });
    expect((await registrar.renew(identity)).body.error).toBe('wrong-deployment');
    await registrar.kill();
    await registrar.run();
    expect((await registrar.renew(identity)).status).toBe(200);
  });
});

test('no token, and no key that signs, in anything that it prints or stores', async () => {
  const good = registrar.issuer.makeToken();
  const bad = registrar.issuer.makeToken({ strangeKey: true });
  const identity = generateIdentityKeyPair();
  await registrar.register(identity, good);
  await registrar.register(generateIdentityKeyPair(), bad);
  await registrar.post('/v1/register', { format: 1, identityToken: good });
  const files = readdirSync(registrar.dataFolder).map((name) => readFileSync(join(registrar.dataFolder, name)));
  const everything = Buffer.concat([...files, Buffer.from(registrar.printed)]);
  expect(files.length).toBeGreaterThan(0);
  // Proves that the search would find something.
  expect(everything.includes(Buffer.from(identity.publicKey))).toBe(true);
  expect(everything.includes(Buffer.from(registrar.logOrigin))).toBe(true);
  for (const token of [good, bad]) {
    for (const part of token.split('.').slice(1)) {
      expect(everything.includes(part)).toBe(false);
      expect(everything.includes(Buffer.from(part, 'base64url'))).toBe(false);
    }
  }
  const { statementKey, logKey } = JSON.parse(
    Buffer.from(registrar.keys.split('.')[1] ?? '', 'base64url').toString(),
  ) as Record<string, string>;
  for (const secret of [registrar.keys, statementKey, logKey]) {
    expect(everything.includes(secret!)).toBe(false);
    expect(everything.includes(Buffer.from(secret!, 'base64url'))).toBe(false);
  }
});
