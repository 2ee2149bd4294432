import { describe, expect, test } from 'vitest';
import { generateRegistrarKeys, parseRegistrarKeys } from '../../registrar/registrar-keys.ts';
import { readSettings } from '../../registrar/settings.ts';
import { StartError } from '../../process/start-error.ts';

const right = {
  REGISTRAR_KEYS: generateRegistrarKeys(),
  REGISTRAR_LOG_ORIGIN: 'registrar.example.com/log-1',
  MODAL_WORKSPACE_ID: 'ac-1',
  MODAL_ENVIRONMENT_ID: 'en-1',
  MODAL_APP_ID: 'ap-1',
  MODAL_FUNCTION_ID: 'fu-1, fu-2',
};

const idsOf = (count: number) => Array.from({ length: count }, (_, index) => `ac-${index}`).join(', ');

/** The sentence, or `accepted`. */
function refusal(changes: Record<string, string | undefined>): string {
  try {
    readSettings({ ...right, ...changes });
    return 'accepted';
  } catch (error) {
    if (error instanceof StartError) return error.message;
    throw error;
  }
}

test('readSettings: the usual values of a registrar', () => {
  const settings = readSettings(right);
  expect(settings).toMatchObject({
    host: '127.0.0.1',
    port: 8789,
    tls: null,
    statementLifeMs: 3_600_000,
    commitUrl: null,
    deployment: { workspaceIds: ['ac-1'], environmentIds: ['en-1'], appIds: ['ap-1'], functionIds: ['fu-1', 'fu-2'] },
    issuer: {
      url: 'https://oidc.modal.com',
      audience: 'oidc.modal.com',
      tokenMaximumAgeMs: 3_600_000,
      keysCacheMs: 3_600_000,
      isTest: false,
    },
  });
  expect(JSON.stringify(settings)).not.toContain(right.REGISTRAR_KEYS.slice(20, 60));
});

describe('readSettings', () => {
  test.each<[name: string, changes: Record<string, string | undefined>, sentence: string]>([
    ['no keys', { REGISTRAR_KEYS: undefined }, 'REGISTRAR_KEYS is missing'],
    ['keys that are cut', { REGISTRAR_KEYS: right.REGISTRAR_KEYS.slice(0, -8) }, 'not whole'],
    ["the relay's keys", { REGISTRAR_KEYS: 'sotto-keys-1.abc' }, 'not whole'],
    ['keys twice', { REGISTRAR_KEYS_FILE: '/nowhere' }, 'drop one'],
    ['a file that is not there', { REGISTRAR_KEYS: undefined, REGISTRAR_KEYS_FILE: '/nowhere' }, 'cannot be read'],
    ['no name of the log', { REGISTRAR_LOG_ORIGIN: undefined }, 'REGISTRAR_LOG_ORIGIN'],
    ['a name with a plus', { REGISTRAR_LOG_ORIGIN: 'a+b' }, 'REGISTRAR_LOG_ORIGIN'],
    ['a name with a blank', { REGISTRAR_LOG_ORIGIN: 'a b' }, 'REGISTRAR_LOG_ORIGIN'],
    ['a name that is too long', { REGISTRAR_LOG_ORIGIN: 'a'.repeat(129) }, 'REGISTRAR_LOG_ORIGIN'],
    ['more workspaces than there can be', { MODAL_WORKSPACE_ID: idsOf(33) }, 'MODAL_WORKSPACE_ID'],
    ['a token that may be a second old', { REGISTRAR_TOKEN_MAX_AGE_SECONDS: '1' }, 'from 60 to 86400'],
    ['keys that are asked for without a pause', { REGISTRAR_JWKS_COOLDOWN_SECONDS: '0' }, 'from 1 to 3600'],
    ['a port in other figures', { REGISTRAR_PORT: '1e3' }, 'REGISTRAR_PORT'],
    ['a key without its certificate', { REGISTRAR_TLS_KEY: 'a.pem' }, 'go together'],
    ['a test issuer with a query', { REGISTRAR_TEST_ISSUER: 'http://127.0.0.1:9000/?a=b' }, 'of this machine'],
    ['a test issuer with a user', { REGISTRAR_TEST_ISSUER: 'http://a@127.0.0.1:9000' }, 'of this machine'],
    ['a test issuer of another scheme', { REGISTRAR_TEST_ISSUER: 'https://127.0.0.1:9000' }, 'of this machine'],
    ['no workspace', { MODAL_WORKSPACE_ID: undefined }, 'MODAL_WORKSPACE_ID'],
    ['no environment', { MODAL_ENVIRONMENT_ID: '' }, 'MODAL_ENVIRONMENT_ID'],
    ['an empty app among others', { MODAL_APP_ID: 'ap-1,' }, 'MODAL_APP_ID'],
    ['a function with a blank', { MODAL_FUNCTION_ID: 'fu 1' }, 'MODAL_FUNCTION_ID'],
    ['a statement of more than an hour', { REGISTRAR_STATEMENT_SECONDS: '3601' }, 'from 60 to 3600'],
    ['keys believed for more than an hour', { REGISTRAR_JWKS_CACHE_SECONDS: '3601' }, 'from 1 to 3600'],
    ['a port that is none', { REGISTRAR_PORT: '70000' }, 'REGISTRAR_PORT'],
    ['an open host without https', { REGISTRAR_HOST: '0.0.0.0' }, 'without https'],
    ['a certificate alone', { REGISTRAR_TLS_CERT: 'a.pem' }, 'go together'],
    ['another word for a proxy', { REGISTRAR_BEHIND_PROXY: 'true' }, 'can only be yes'],
    [
      'a header that is none',
      { REGISTRAR_ADDRESS_HEADER: 'x y', REGISTRAR_TRUSTED_PROXIES: '10.0.0.1' },
      'name of a header',
    ],
    ['a header that anyone may set', { REGISTRAR_ADDRESS_HEADER: 'x-forwarded-for' }, 'go together'],
    ['proxies without a header', { REGISTRAR_TRUSTED_PROXIES: '10.0.0.1' }, 'go together'],
    [
      'a proxy that is no address',
      { REGISTRAR_ADDRESS_HEADER: 'x-forwarded-for', REGISTRAR_TRUSTED_PROXIES: '10.0.0.0/33' },
      'no address',
    ],
    ['a test issuer elsewhere', { REGISTRAR_TEST_ISSUER: 'https://oidc.example.com' }, 'of this machine'],
    ['a test issuer that looks near', { REGISTRAR_TEST_ISSUER: 'http://127.0.0.1.example.com' }, 'of this machine'],
    ['a keeper elsewhere', { REGISTRAR_COMMIT_URL: 'http://10.0.0.1/commit' }, 'of this machine'],
    ['a name that nobody reads', { REGISTRAR_ORIGIN: 'x' }, 'did you mean REGISTRAR_LOG_ORIGIN?'],
    ['a name with a slip', { REGISTRAR_PROT: '1' }, 'did you mean REGISTRAR_PORT?'],
  ])('refuses %s', (_name, changes, sentence) => {
    expect(refusal(changes)).toContain(sentence);
    expect(refusal({})).toBe('accepted');
  });

  test.each<[name: string, changes: Record<string, string>]>([
    ['an open host with https', { REGISTRAR_HOST: '0.0.0.0', REGISTRAR_TLS_CERT: 'a', REGISTRAR_TLS_KEY: 'b' }],
    [
      'a header and the proxies that set it',
      { REGISTRAR_ADDRESS_HEADER: 'x-forwarded-for', REGISTRAR_TRUSTED_PROXIES: '10.0.0.0/8, ::1' },
    ],
    [
      'the longest name and the most workspaces',
      { REGISTRAR_LOG_ORIGIN: 'a'.repeat(128), MODAL_WORKSPACE_ID: idsOf(32) },
    ],
    ['a keeper of checkpoints on this machine', { REGISTRAR_COMMIT_URL: 'http://localhost:9001/commit' }],
    ['an open host behind a proxy', { REGISTRAR_HOST: '0.0.0.0', REGISTRAR_BEHIND_PROXY: 'yes' }],
    ["the worker's names in the same file", { REGISTRAR_URL: 'https://registrar.example.com', MODAL_SERVER_URL: 'x' }],
    ['a test issuer on this machine', { REGISTRAR_TEST_ISSUER: 'http://127.0.0.1:9000/' }],
  ])('accepts %s', (_name, changes) => {
    expect(refusal(changes)).toBe('accepted');
  });
});

test('registrar keys: two that differ, and the same again from the same text', () => {
  const text = generateRegistrarKeys();
  const keys = parseRegistrarKeys(`${text}\n`);
  expect(keys.statement.publicKey).not.toEqual(keys.log.publicKey);
  expect(parseRegistrarKeys(text).log.publicKey).toEqual(keys.log.publicKey);
  expect(generateRegistrarKeys()).not.toBe(text);
  const prefix = 'sotto-registrar-1.';
  const both = Buffer.from(JSON.stringify({ statementKey: 'A'.repeat(43), logKey: 'A'.repeat(43) })).toString(
    'base64url',
  );
  expect(() => parseRegistrarKeys(prefix + both)).toThrow(StartError);
});
