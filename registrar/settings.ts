import { readFileSync } from 'node:fs';
import { type AddressSettings, joinAddressSettings } from '../process/http/client-address.ts';
import { isLoopback } from '../process/loopback.ts';
import { type Environment, readOne, readValues, requireOne, type Values } from '../process/settings/read-values.ts';
import { StartError } from '../process/start-error.ts';
import { parseRegistrarKeys, type RegistrarKeys } from './registrar-keys.ts';

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

const modalIssuer = 'https://oidc.modal.com';
const modalAudience = 'oidc.modal.com';

/** @throws {StartError} for the first wrong value, or for a name that nobody reads. */
export function readSettings(environment: Environment): Settings {
  const values = readValues('registrar', environment);
  const tls = tlsSettings(values);
  return {
    host: hostSetting(values, tls !== null),
    port: values.REGISTRAR_PORT,
    dataFolder: values.REGISTRAR_DATA_DIR,
    logOrigin: requireOne('REGISTRAR_LOG_ORIGIN', environment),
    tls,
    clientAddress: joinAddressSettings(values.REGISTRAR_ADDRESS_HEADER, values.REGISTRAR_TRUSTED_PROXIES, {
      header: 'REGISTRAR_ADDRESS_HEADER',
      proxies: 'REGISTRAR_TRUSTED_PROXIES',
    }),
    isAddressShared: values.REGISTRAR_BEHIND_PROXY !== null && values.REGISTRAR_ADDRESS_HEADER === null,
    statementLifeMs: values.REGISTRAR_STATEMENT_SECONDS,
    deployment: {
      workspaceIds: requireOne('MODAL_WORKSPACE_ID', environment),
      environmentIds: requireOne('MODAL_ENVIRONMENT_ID', environment),
      appIds: requireOne('MODAL_APP_ID', environment),
      functionIds: requireOne('MODAL_FUNCTION_ID', environment),
    },
    issuer: {
      url: values.REGISTRAR_TEST_ISSUER ?? modalIssuer,
      audience: modalAudience,
      tokenMaximumAgeMs: values.REGISTRAR_TOKEN_MAX_AGE_SECONDS,
      keysCacheMs: values.REGISTRAR_JWKS_CACHE_SECONDS,
      keysCooldownMs: values.REGISTRAR_JWKS_COOLDOWN_SECONDS,
      isTest: values.REGISTRAR_TEST_ISSUER !== null,
    },
    commitUrl: values.REGISTRAR_COMMIT_URL,
    keys: readKeys(environment),
  };
}

/** @throws {StartError} */
export function readKeys(environment: Environment): RegistrarKeys {
  const [keys, file] = [readOne('REGISTRAR_KEYS', environment), readOne('REGISTRAR_KEYS_FILE', environment)];
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

function hostSetting(values: Values<'registrar'>, hasTls: boolean): string {
  const { REGISTRAR_HOST: host, REGISTRAR_BEHIND_PROXY: behindProxy } = values;
  if (!isLoopback(host) && !hasTls && behindProxy === null) {
    throw new StartError(
      'REGISTRAR_HOST is open to others without https: set REGISTRAR_TLS_CERT and REGISTRAR_TLS_KEY, or REGISTRAR_BEHIND_PROXY=yes.',
    );
  }
  return host;
}

function tlsSettings(values: Values<'registrar'>): Settings['tls'] {
  const { REGISTRAR_TLS_CERT: certFile, REGISTRAR_TLS_KEY: keyFile } = values;
  if (certFile === null && keyFile === null) return null;
  if (certFile === null || keyFile === null) {
    throw new StartError('REGISTRAR_TLS_CERT and REGISTRAR_TLS_KEY go together: set both or neither.');
  }
  return { certFile, keyFile };
}
