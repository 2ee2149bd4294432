import { expect, onTestFinished, test } from 'vitest';
import { TestRegistrar } from '../../parts/evidence/modal/test-registrar.ts';

async function start(environment: Record<string, string> = {}): Promise<TestRegistrar> {
  const registrar = await TestRegistrar.start({ REGISTRAR_JWKS_COOLDOWN_SECONDS: '1', ...environment });
  onTestFinished(() => registrar.stop());
  return registrar;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const keySetCalls = ({ issuer }: TestRegistrar) => issuer.calls.get('/.well-known/jwks.json') ?? 0;
const codeOf = async (registrar: TestRegistrar, token: string = registrar.issuer.makeToken()) => {
  const { status, body } = await registrar.register(undefined, token);
  return status === 200 ? 'accepted' : body.error;
};

test('a new key of the issuer is found, after the cool-down', async () => {
  const registrar = await start();
  expect(await codeOf(registrar)).toBe('accepted');
  const old = registrar.issuer.makeToken();
  registrar.issuer.rotate();
  const token = registrar.issuer.makeToken();
  await pause(1_100);
  expect(await codeOf(registrar, token)).toBe('accepted');
  // The earlier one is still published.
  expect(await codeOf(registrar, old)).toBe('accepted');
});

test("a stranger's key ids do not make us call the issuer", async () => {
  const registrar = await start({ REGISTRAR_JWKS_COOLDOWN_SECONDS: '3600' });
  expect(await codeOf(registrar)).toBe('accepted');
  for (let count = 0; count < 5; count++) {
    const token = registrar.issuer.makeToken({ header: { kid: `invented-${count}` } });
    expect(await codeOf(registrar, token)).toBe('token-key-unknown');
  }
  expect(keySetCalls(registrar)).toBe(1);
});

test('a retired key is believed no longer than the cache', async () => {
  const registrar = await start({ REGISTRAR_JWKS_CACHE_SECONDS: '2' });
  const token = registrar.issuer.makeToken();
  const second = registrar.issuer.makeToken();
  expect(await codeOf(registrar, token)).toBe('accepted');
  registrar.issuer.rotate();
  registrar.issuer.retire();
  await pause(2_100);
  expect(await codeOf(registrar, second)).toBe('token-key-unknown');
  expect(await codeOf(registrar)).toBe('accepted');
});

test('without the issuer nothing is believed that is older than the cache, and the token stays unused', async () => {
  const registrar = await start({ REGISTRAR_JWKS_CACHE_SECONDS: '8' });
  const waiting = registrar.issuer.makeToken();
  expect(await codeOf(registrar)).toBe('accepted');
  registrar.issuer.setDown(true);
  // The keys that were fetched before still serve.
  expect(await codeOf(registrar)).toBe('accepted');
  await pause(8_100);
  expect(await codeOf(registrar, waiting)).toBe('issuer-unreachable');
  registrar.issuer.setDown(false);
  await pause(1_100);
  expect(await codeOf(registrar, waiting)).toBe('accepted');
});

test.each<[name: string, breakIt: (registrar: TestRegistrar) => void]>([
  ['is down', ({ issuer }) => issuer.setDown(true)],
  ['names another issuer', ({ issuer }) => (issuer.discovery = { issuer: 'https://oidc.modal.com' })],
  ['points elsewhere', ({ issuer }) => (issuer.discovery = { jwks_uri: 'http://127.0.0.1:9/jwks.json' })],
  ['gives something that is no key set', ({ issuer }) => (issuer.keySetBody = '{"keys":7}')],
  ['gives something that is no JSON', ({ issuer }) => (issuer.keySetBody = '<html>')],
  ['gives too much', ({ issuer }) => (issuer.keySetBody = `{"keys":[]${' '.repeat(70_000)}}`)],
])('an issuer that %s: 503, nothing registered, and it goes on when that is over', async (_name, breakIt) => {
  const registrar = await start();
  const token = registrar.issuer.makeToken();
  breakIt(registrar);
  expect(await codeOf(registrar, token)).toBe('issuer-unreachable');
  registrar.issuer.setDown(false);
  registrar.issuer.discovery = {};
  registrar.issuer.keySetBody = null;
  await pause(1_100);
  expect(await codeOf(registrar, token)).toBe('accepted');
});
