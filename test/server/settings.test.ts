import { expect, test } from 'vitest';
import { readSettings } from '../../server/settings.ts';

const token = 'x'.repeat(32);

/** Right settings of a relay before Modal, changed, or without one of them. */
function modal(changes: Record<string, string>, without = ''): Record<string, string> {
  const right = {
    ENCLAVE_POOL: 'modal',
    ENCLAVE_TOKEN: token,
    MODAL_SERVER_URL: 'https://a--b.modal.direct',
    MODAL_PROXY_TOKEN: 'wk-abc.ws-def',
    ...changes,
  };
  return Object.fromEntries(Object.entries(right).filter(([name]) => name !== without));
}

test('readSettings: nothing has to be set', () => {
  expect(readSettings({})).toMatchObject({
    port: 8787,
    host: '127.0.0.1',
    publicUrl: null,
    postgres: null,
    enclavePool: 'local',
    tls: null,
    signUp: 'open',
    logLevel: 'info',
    quotaBytes: 2 ** 30,
  });
  // An empty value, as compose files leave them, is no value.
  expect(readSettings({ PORT: '', PUBLIC_URL: ' ', TLS_CERT: '' })).toEqual(readSettings({}));
});

test.each([
  [
    { DATABASE_URL: 'postgres://h/d', DATABASE_CA: ' ' },
    'DATABASE_CA is empty: give it a value, or leave it out.',
    { DATABASE_URL: 'postgres://h/d', DATABASE_CA: 'ca.pem' },
  ],
  [{ PORT: '80x' }, 'PORT must be a whole number from 0 to 65535.', { PORT: '80' }],
  [{ PORT: '65536' }, 'PORT must be', { PORT: '65535' }],
  [{ QUOTA_BYTES: '1000' }, 'QUOTA_BYTES must be', { QUOTA_BYTES: '1048576' }],
  [{ DISK_RESERVE_BYTES: '-1' }, 'DISK_RESERVE_BYTES must be', { DISK_RESERVE_BYTES: '0' }],
  [{ STORAGE_LIMIT_BYTES: '1000' }, 'STORAGE_LIMIT_BYTES must be', { STORAGE_LIMIT_BYTES: '16777216' }],
  [{ STORAGE_LIMIT: '1' }, 'did you mean STORAGE_LIMIT_BYTES?', { STORAGE: '1' }],
  [{ CLOCK_CHECKED_ON: 'today' }, 'CLOCK_CHECKED_ON must be a date such as', { CLOCK_CHECKED_ON: '2026-11-30' }],
  [{ SIGN_UP: 'no' }, 'SIGN_UP must be one of open, closed.', { SIGN_UP: 'closed' }],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of', { LOG_LEVEL: 'debug' }],
  [{ PUBLIC_URL: 'http://chat.example' }, 'PUBLIC_URL is not an https address', { PUBLIC_URL: 'https://chat.example' }],
  [
    { PUBLIC_URL: 'https://chat.example/x' },
    'PUBLIC_URL has more than a name',
    { PUBLIC_URL: 'http://localhost:8787' },
  ],
  [
    { PUBLIC_URL: 'https://*.chat.example' },
    'PUBLIC_URL is not an https address',
    { PUBLIC_URL: 'https://[2001:db8::5]' },
  ],
  [{ HOST_NAMES: '"chat.example"' }, 'HOST_NAMES holds something that is no name', { HOST_NAMES: 'chat.example' }],
  [{ HOST_NAMES: 'chat.example:8443' }, 'HOST_NAMES holds something that is no name', { HOST_NAMES: 'chat.example.' }],
  [{ HOST_NAMES: '0' }, 'HOST_NAMES holds something that is no name', { HOST_NAMES: '203.0.113.4, [2001:db8::5]' }],
  [{ HOST_NAMES: 'a b' }, 'HOST_NAMES holds something that is no name', { HOST_NAMES: 'a, , b' }],
  [{ HOST: '[::1]' }, 'HOST is not an address of this machine: write', { HOST: '::1' }],
  [{ HOST: 'a\nb' }, 'HOST is not an address of this machine: write', { HOST: 'fe80::1%eth0' }],
  [{ HOST: 'http://localhost' }, 'HOST is not an address of this machine: write', { HOST: 'localhost' }],
  [{ CLOCK_CHECKED_ON: '2026-02-31' }, 'CLOCK_CHECKED_ON must be a date', { CLOCK_CHECKED_ON: '2028-02-29' }],
  [{ TLS_CERT: 'c' }, 'TLS_CERT is set alone', { TLS_CERT: 'c', TLS_KEY: 'k' }],
  [{ DATABASE_CA: 'c' }, 'DATABASE_CA is set without DATABASE_URL', { DATABASE_CA: 'c', DATABASE_URL: 'postgres://x' }],
  [
    { DATABASE_CONNECTIONS: '8' },
    'DATABASE_CONNECTIONS is set without DATABASE_URL',
    { DATABASE_CONNECTIONS: '8', DATABASE_URL: 'postgres://x' },
  ],
  [
    { DATABASE_CONNECTIONS: '1', DATABASE_URL: 'postgres://x' },
    'DATABASE_CONNECTIONS must be a whole number from 2 to 1000.',
    { DATABASE_CONNECTIONS: '2', DATABASE_URL: 'postgres://x' },
  ],
  [{ DATABASE_CONNECTION: '8' }, 'did you mean DATABASE_CONNECTIONS?', { DATABASE_HOST: 'x' }],
  [{ SERVER_KEYS: 'a', SERVER_KEYS_FILE: 'b' }, 'are both set', { SERVER_KEYS: 'a' }],
  [
    { ENCLAVE_POOL: 'static', ENCLAVE_TOKEN: token },
    'ENCLAVE_POOL=static needs ENCLAVE_URLS',
    { ENCLAVE_POOL: 'static', ENCLAVE_TOKEN: token, ENCLAVE_URLS: 'http://a:1, https://b' },
  ],
  [{ ENCLAVE_POOL: 'static', ENCLAVE_URLS: 'http://a' }, 'needs ENCLAVE_TOKEN', {}],
  [{ ENCLAVE_POOL: 'cloud' }, 'ENCLAVE_POOL must be one of local, static, modal.', { ENCLAVE_POOL: 'local' }],
  [modal({}, 'MODAL_SERVER_URL'), 'ENCLAVE_POOL=modal needs MODAL_SERVER_URL', modal({})],
  [modal({}, 'MODAL_PROXY_TOKEN'), 'ENCLAVE_POOL=modal needs MODAL_PROXY_TOKEN', modal({})],
  [modal({}, 'ENCLAVE_TOKEN'), 'ENCLAVE_POOL=modal needs ENCLAVE_TOKEN', modal({})],
  [modal({ MODAL_PROXY_TOKEN: 'ak-abc.as-def' }), 'MODAL_PROXY_TOKEN is not a proxy token', modal({})],
  [
    modal({ MODAL_SERVER_URL: 'http://a--b.modal.direct' }),
    'MODAL_SERVER_URL is not an https address',
    modal({ MODAL_SERVER_URL: 'http://127.0.0.1:80' }),
  ],
  [
    { COLLATERAL_AMD_URL: 'http://kds.example' },
    'COLLATERAL_AMD_URL is not an https address',
    { COLLATERAL_AMD_URL: 'https://kds.example/cache/' },
  ],
  [{ COLLATERAL_INTEL_URL: 'x' }, 'COLLATERAL_INTEL_URL is not', { COLLATERAL_INTEL_URL: 'https://pccs.example' }],
  [{ COLLATERAL_NVIDIA_OCSP_URL: 'no' }, 'COLLATERAL_NVIDIA_OCSP_URL is not', { COLLATERAL_NVIDIA_OCSP_URL: 'off' }],
  [{ COLLATERAL_AMD_ULR: 'x' }, 'did you mean COLLATERAL_AMD_URL?', { COLLATERAL: 'x' }],
  [{ ENCLAVE_URLS: 'a:1' }, 'ENCLAVE_URLS holds something that is not a URL', { ENCLAVE_URLS: 'http://a:1' }],
  [{ ENCLAVE_TOKEN: 'short' }, 'ENCLAVE_TOKEN needs at least 32 characters without blanks', { ENCLAVE_TOKEN: token }],
  [{ CLIENT_ADDRESS_HEADER: 'x' }, 'go together', { CLIENT_ADDRESS_HEADER: 'x', TRUSTED_PROXIES: '10.0.0.1' }],
  [{ ENCLAVE_POOOL: 'local' }, 'There is no setting ENCLAVE_POOOL; did you mean ENCLAVE_POOL?', { OTHER_POOL: 'x' }],
  [{ LLM_BASEURL: 'x' }, 'did you mean LLM_BASE_URL?', { LLM_BASE_URL: 'x' }],
  [{ MODAL_PROXY_TOKN: 'x' }, 'did you mean MODAL_PROXY_TOKEN?', { MODAL_TOKEN_ID: 'x' }],
  [{ SERVER_KEY_FILE: 'x', SERVER_KEYS_FIL: 'x' }, 'did you mean SERVER_KEYS_FILE?', { SERVER_KEYS_FILE: 'x' }],
])('readSettings: %j is refused with one sentence, its twin is not', (wrong, sentence, right) => {
  expect(() => readSettings(wrong)).toThrow(sentence);
  expect(() => readSettings(right)).not.toThrow();
});

test('readSettings: reads lists, and the origin without its slash', () => {
  const settings = readSettings({
    ENCLAVE_URLS: 'http://a:1 , https://b',
    PUBLIC_URL: 'https://chat.example/',
    TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    CLIENT_ADDRESS_HEADER: 'DO-Connecting-IP',
  });
  expect(settings).toMatchObject({
    enclaveUrls: ['http://a:1', 'https://b'],
    publicUrl: 'https://chat.example',
    clientAddress: { header: 'do-connecting-ip', trustedProxies: ['10.0.0.0/8', '::1'] },
  });
});

test('readSettings: names are kept as a browser says them', () => {
  expect(readSettings({ PUBLIC_URL: 'https://Chat.Example.:8443/' }).publicUrl).toBe('https://chat.example:8443');
  expect(readSettings({ PUBLIC_URL: 'https://münchen.example' }).publicUrl).toBe('https://xn--mnchen-3ya.example');
  expect(readSettings({ HOST_NAMES: 'Chat.Example., münchen.example' }).hostNames).toEqual([
    'chat.example',
    'xn--mnchen-3ya.example',
  ]);
});

test('readSettings: what an earlier pool needed is left aside, addresses lose their slash', () => {
  const settings = readSettings(modal({ MODAL_SERVER_URL: 'https://a--b.modal.direct/', ENCLAVE_URLS: 'http://a:1' }));
  expect(settings.modal).toEqual({ url: 'https://a--b.modal.direct', proxyToken: 'wk-abc.ws-def' });
  expect(readSettings({}).modal).toBeNull();
  expect(readSettings({ COLLATERAL_AMD_URL: 'https://kds.example/cache/' }).collateral).toEqual({
    amd: 'https://kds.example/cache',
    intel: null,
    nvidia: null,
    nvidiaOcsp: null,
  });
  expect(readSettings({ COLLATERAL_NVIDIA_OCSP_URL: 'off' }).collateral.nvidiaOcsp).toBe('off');
  expect(readSettings({ COLLATERAL_NVIDIA_OCSP_URL: 'https://ocsp.example/' }).collateral.nvidiaOcsp).toBe(
    'https://ocsp.example',
  );
});
