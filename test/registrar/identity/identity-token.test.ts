import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateIdentityKeyPair } from '../../../crypto/evidence/key-statement.ts';
import { fromBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { parseRegistrarStatement } from '../../../crypto/evidence/modal/registrar-statement.ts';
import type { TokenChanges } from '../../parts/evidence/modal/modal-identity.ts';
import { TestRegistrar } from '../../parts/evidence/modal/test-registrar.ts';

let registrar: TestRegistrar;
beforeAll(async () => {
  registrar = await TestRegistrar.start({
    MODAL_FUNCTION_ID: 'fu-first, fu-12345abcd',
    REGISTRAR_JWKS_COOLDOWN_SECONDS: '1',
  });
});
afterAll(() => registrar.stop());

const nowS = Math.floor(Date.now() / 1000);
const hourS = 3600;

/** `accepted`, or the code. */
async function outcome(token: string): Promise<string> {
  const { status, body } = await registrar.register(generateIdentityKeyPair(), token);
  return status === 200 ? 'accepted' : body.error;
}

describe('register: the identity token', () => {
  type Row = readonly [name: string, refusal: string, changes: TokenChanges];
  const refused: readonly Row[] = [
    ['signed by a key that is not published', 'token-refused', { strangeKey: true }],
    ['of no algorithm', 'token-refused', { algorithm: 'none' }],
    ['of an HMAC under the published key', 'token-refused', { algorithm: 'HS256' }],
    ['of another RSA signature', 'token-refused', { algorithm: 'PS256' }],
    ['whose header lies about the algorithm', 'token-refused', { header: { alg: 'RS512' } }],
    ['without a key id', 'token-refused', { header: { kid: undefined } }],
    ['with an unknown key id', 'token-key-unknown', { header: { kid: 'key-other' } }],
    ['with a critical header that nobody knows', 'token-refused', { header: { crit: ['exp2'], exp2: 1 } }],
    [
      'with keys of its own',
      'token-refused',
      { strangeKey: true, header: { jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } } },
    ],
    ['of another issuer', 'token-refused', { claims: { iss: 'https://oidc.modal.com' } }],
    ['of an issuer with a slash', 'token-refused', { claims: { iss: 'http://127.0.0.1/' } }],
    ['without an issuer', 'token-refused', { without: ['iss'] }],
    ['for another audience', 'token-refused', { claims: { aud: 'sts.amazonaws.com' } }],
    ['for several audiences', 'token-refused', { claims: { aud: ['oidc.modal.com', 'sts.amazonaws.com'] } }],
    ['without an audience', 'token-refused', { without: ['aud'] }],
    ['that has expired', 'token-too-old', { claims: { exp: nowS - 2 * hourS } }],
    ['without an end', 'token-refused', { without: ['exp'] }],
    ['with an end in words', 'token-refused', { claims: { exp: 'tomorrow' } }],
    ['made an hour and more ago', 'token-too-old', { claims: { iat: nowS - hourS - 120 } }],
    ['of the future', 'token-too-old', { claims: { iat: nowS + 600 } }],
    ['without a beginning', 'token-refused', { without: ['iat'] }],
    ['that is not good yet', 'token-too-old', { claims: { nbf: nowS + 600 } }],
    ['of another workspace', 'wrong-deployment', { claims: { workspace_id: 'ac-other' } }],
    ['of another environment', 'wrong-deployment', { claims: { environment_id: 'en-other' } }],
    ['of another app', 'wrong-deployment', { claims: { app_id: 'ap-other' } }],
    ['of another function', 'wrong-deployment', { claims: { function_id: 'fu-other' } }],
    ['of all functions', 'wrong-deployment', { claims: { function_id: 'fu-first,fu-12345abcd' } }],
    ['without a workspace', 'token-refused', { without: ['workspace_id'] }],
    ['without an environment', 'token-refused', { without: ['environment_id'] }],
    ['without an app', 'token-refused', { without: ['app_id'] }],
    ['without a function', 'token-refused', { without: ['function_id'] }],
    ['without a container', 'token-refused', { without: ['container_id'] }],
    ['with an id that is no text', 'token-refused', { claims: { workspace_id: ['ac-12345abcd'] } }],
    ['with an id that no statement can hold', 'token-refused', { claims: { container_id: 'ta 1' } }],
  ];
  test.each(refused)('refuses one %s', async (_name, refusal, changes) => {
    expect(await outcome(registrar.issuer.makeToken(changes))).toBe(refusal);
    expect(await outcome(registrar.issuer.makeToken())).toBe('accepted');
  });

  const accepted: readonly (readonly [name: string, changes: TokenChanges])[] = [
    ['made almost an hour ago', { claims: { iat: nowS - hourS + 60 } }],
    ['of a clock that is a little ahead', { claims: { iat: nowS + 30 } }],
    ['that became good just now', { claims: { nbf: nowS - 1 } }],
    ['of the other listed function', { claims: { function_id: 'fu-first' } }],
    ['with claims that we do not know', { claims: { gpu: 'H100', region: 'eu' } }],
  ];
  test.each(accepted)('accepts one %s', async (_name, changes) => {
    expect(await outcome(registrar.issuer.makeToken(changes))).toBe('accepted');
  });

  test('refuses a changed part of a token', async () => {
    const token = registrar.issuer.makeToken();
    const [header = '', claims = '', signature = ''] = token.split('.');
    const other = registrar.issuer.makeToken().split('.');
    for (const changed of [
      [other[0] === header ? `${header}A` : other[0], claims, signature],
      [header, other[1], signature],
      [header, claims, other[2]],
      [header, claims, signature.slice(0, -4)],
    ]) {
      expect(await outcome(changed.join('.'))).toBe('token-refused');
    }
    expect(await outcome(token)).toBe('accepted');
  });

  test('states the container that the token names', async () => {
    const token = registrar.issuer.makeToken({ claims: { container_id: 'ta-mine' } });
    const { body } = await registrar.register(generateIdentityKeyPair(), token);
    const statement = parseRegistrarStatement(fromBase64Url(body.evidence.statement));
    expect(statement).toMatchObject({
      containerId: 'ta-mine',
      functionId: 'fu-12345abcd',
      workspaceId: 'ac-12345abcd',
    });
    expect(statement.notAfterMs - statement.issuedAtMs).toBe(3_600_000);
  });
});
