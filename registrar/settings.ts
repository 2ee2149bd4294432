import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type AddressSettings, readAddressSettings } from '../process/http/client-address.ts';
import { parseRegistrarKeys, type RegistrarKeys } from './registrar-keys.ts';
import { checkNames } from './setting-names.ts';
import { isLoopback } from '../process/loopback.ts';
import { StartError } from '../process/start-error.ts';

/** Ids as Modal's identity tokens have them; a container must be of one of each. */
export type Deployment = {
  readonly workspaceIds: readonly string[];
  readonly environmentIds: readonly string[];
  readonly appIds: readonly string[];
  readonly functionIds: readonly string[];
};

export type IssuerSettings = {
  readonly url: string;
  readonly audience: string;
  /** Longest time since a token was made. */
  readonly tokenMaximumAgeMs: number;
  readonly keysCacheMs: number;
  readonly keysCooldownMs: number;
  readonly isTest: boolean;
};

export type Settings = {
  readonly host: string;
  readonly port: number;
  readonly dataFolder: string;
  readonly logOrigin: string;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** Null: the address of the connection is the caller's. */
  readonly clientAddress: AddressSettings | null;
  /** Behind a proxy that does not say whose a call is, all callers have one address. */
  readonly isAddressShared: boolean;
  readonly statementLifeMs: number;
  readonly deployment: Deployment;
  readonly issuer: IssuerSettings;
  /** Asked to make a checkpoint durable before anyone sees it; null: the disk is enough. */
  readonly commitUrl: string | null;
  readonly keys: RegistrarKeys;
};

export type Environment = Readonly<Record<string, string | undefined>>;
type Read = (name: string) => string | null;

const modalIssuer = 'https://oidc.modal.com';
const modalAudience = 'oidc.modal.com';

/** @throws {StartError} for the first wrong value, or for a name that nobody reads. */
export function readSettings(environment: Environment): Settings {
  checkNames(Object.keys(environment).filter((name) => environment[name] !== ''));
  const text = readerOf(environment);
  const tls = tlsSettings(text);
  return {
    host: hostSetting(text, tls !== null),
    port: wholeNumber('REGISTRAR_PORT', text('REGISTRAR_PORT') ?? '8789', 0, 65_535),
    dataFolder: resolve(text('REGISTRAR_DATA_DIR') ?? './registrar-data'),
    logOrigin: readLogOrigin(text),
    tls,
    clientAddress: readAddressSettings(text('REGISTRAR_ADDRESS_HEADER'), text('REGISTRAR_TRUSTED_PROXIES'), {
      header: 'REGISTRAR_ADDRESS_HEADER',
      proxies: 'REGISTRAR_TRUSTED_PROXIES',
    }),
    isAddressShared: text('REGISTRAR_BEHIND_PROXY') !== null && text('REGISTRAR_ADDRESS_HEADER') === null,
    statementLifeMs: seconds(text, 'REGISTRAR_STATEMENT_SECONDS', 3600, 60, 3600),
    deployment: {
      workspaceIds: readIds(text, 'workspaceIds'),
      environmentIds: readIds(text, 'environmentIds'),
      appIds: readIds(text, 'appIds'),
      functionIds: readIds(text, 'functionIds'),
    },
    issuer: issuerSettings(text),
    commitUrl: loopbackUrl('REGISTRAR_COMMIT_URL', text('REGISTRAR_COMMIT_URL')),
    keys: readKeys(text),
  };
}

export function readerOf(environment: Environment): Read {
  return (name) => {
    const value = environment[name]?.trim() ?? '';
    return value === '' ? null : value;
  };
}

export function readKeys(text: Read): RegistrarKeys {
  const [keys, file] = [text('REGISTRAR_KEYS'), text('REGISTRAR_KEYS_FILE')];
  if (keys !== null && file !== null) {
    throw new StartError('REGISTRAR_KEYS and REGISTRAR_KEYS_FILE are both set: drop one of them.');
  }
  if (keys !== null) return parseRegistrarKeys(keys);
  if (file === null) {
    throw new StartError('REGISTRAR_KEYS is missing: make it once with `npm run registrar:keys` and keep it secret.');
  }
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch {
    throw new StartError('REGISTRAR_KEYS_FILE cannot be read: give the path of a file that this user may read.');
  }
  return parseRegistrarKeys(content);
}

export function readLogOrigin(text: Read): string {
  const origin = text('REGISTRAR_LOG_ORIGIN');
  // What a C2SP checkpoint and the client's policy both take.
  if (origin === null || !/^[!-*,-~]{1,128}$/.test(origin)) {
    throw new StartError(
      'REGISTRAR_LOG_ORIGIN must be the name of the log, as registrar.example.com/log-1: no blanks, no plus, 128 characters at most.',
    );
  }
  return origin;
}

const idNames = {
  workspaceIds: ['MODAL_WORKSPACE_ID', 'ac-…'],
  environmentIds: ['MODAL_ENVIRONMENT_ID', 'en-…'],
  appIds: ['MODAL_APP_ID', 'ap-…'],
  functionIds: ['MODAL_FUNCTION_ID', 'fu-…'],
} as const satisfies Record<keyof Deployment, readonly [name: string, example: string]>;

export function readIds(text: Read, field: keyof Deployment): readonly string[] {
  const [name, example] = idNames[field];
  const ids = (text(name) ?? '').split(',').map((id) => id.trim());
  if (ids.length > 32 || ids.some((id) => !/^[!-+\--~]{1,128}$/.test(id))) {
    throw new StartError(`${name} must name what may be registered, as ${example}; several with commas between them.`);
  }
  return ids;
}

function hostSetting(text: Read, hasTls: boolean): string {
  const host = text('REGISTRAR_HOST') ?? '127.0.0.1';
  const behindProxy = text('REGISTRAR_BEHIND_PROXY');
  if (behindProxy !== null && behindProxy !== 'yes') {
    throw new StartError('REGISTRAR_BEHIND_PROXY can only be yes: an https proxy stands before the registrar.');
  }
  if (!isLoopback(host) && !hasTls && behindProxy === null) {
    throw new StartError(
      'REGISTRAR_HOST is open to others without https: set REGISTRAR_TLS_CERT and REGISTRAR_TLS_KEY, or REGISTRAR_BEHIND_PROXY=yes.',
    );
  }
  return host;
}

function tlsSettings(text: Read): Settings['tls'] {
  const [certFile, keyFile] = [text('REGISTRAR_TLS_CERT'), text('REGISTRAR_TLS_KEY')];
  if (certFile === null && keyFile === null) return null;
  if (certFile === null || keyFile === null) {
    throw new StartError('REGISTRAR_TLS_CERT and REGISTRAR_TLS_KEY go together: set both or neither.');
  }
  return { certFile, keyFile };
}

function issuerSettings(text: Read): IssuerSettings {
  const testUrl = loopbackUrl('REGISTRAR_TEST_ISSUER', text('REGISTRAR_TEST_ISSUER'));
  return {
    url: testUrl ?? modalIssuer,
    audience: modalAudience,
    tokenMaximumAgeMs: seconds(text, 'REGISTRAR_TOKEN_MAX_AGE_SECONDS', 3600, 60, 86_400),
    keysCacheMs: seconds(text, 'REGISTRAR_JWKS_CACHE_SECONDS', 3600, 1, 3600),
    keysCooldownMs: seconds(text, 'REGISTRAR_JWKS_COOLDOWN_SECONDS', 30, 1, 3600),
    isTest: testUrl !== null,
  };
}

/** Nothing outside this machine can be named in place of Modal, or be told of checkpoints before they are public. */
function loopbackUrl(name: string, value: string | null): string | null {
  if (value === null) return null;
  const url = URL.parse(value);
  if (url?.protocol !== 'http:' || !isLoopback(url.hostname) || url.search !== '' || url.username !== '') {
    throw new StartError(`${name} must be an address of this machine, as http://127.0.0.1:9000.`);
  }
  return value.replace(/\/$/, '');
}

function seconds(text: Read, name: string, usual: number, least: number, most: number): number {
  return 1000 * wholeNumber(name, text(name) ?? String(usual), least, most);
}

function wholeNumber(name: string, value: string, least: number, most: number): number {
  const parsed = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!(parsed >= least && parsed <= most)) {
    throw new StartError(`${name} must be a whole number from ${least} to ${most}.`);
  }
  return parsed;
}
