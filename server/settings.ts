import type { LogLevel } from '../process/event-log.ts';
import { type AddressSettings, joinAddressSettings } from '../process/http/client-address.ts';
import { type Environment, readValues } from '../process/settings/read-values.ts';
import { StartError } from '../process/start-error.ts';
import { type EnclaveSettings, readEnclaveSettings } from './enclave-settings.ts';
import type { PostgresSettings } from './storage/postgres/postgres-connection.ts';

export type Settings = EnclaveSettings & {
  readonly port: number;
  readonly host: string;
  /** Origin that people type, without a slash at the end; null: whatever the browser calls us. */
  readonly publicUrl: string | null;
  /** Further names that the relay is called by, as URLs write them. */
  readonly hostNames: readonly string[];
  readonly dataFolder: string;
  readonly postgres: PostgresSettings | null;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly serverKeys: string | null;
  readonly serverKeysFile: string | null;
  readonly clientAddress: AddressSettings | null;
  /** Open at a time, of all callers and of one address. */
  readonly connections: { readonly total: number; readonly perAddress: number };
  readonly logLevel: LogLevel;
  readonly signUp: 'open' | 'closed';
  readonly quotaBytes: number;
  /** Null: by the size of the disk. */
  readonly diskReserveBytes: number | null;
  /** Null: as much as the disk has. */
  readonly storageLimitBytes: number | null;
  /** A day that has begun, as a person says; null: nobody said. */
  readonly clockCheckedAtMs: number | null;
};

/** @throws {StartError} for the first wrong value, or for a name that nobody reads. */
export function readSettings(environment: Environment): Settings {
  const values = readValues('relay', environment);
  const isSet = (name: string) => (environment[name]?.trim() ?? '') !== '';
  for (const name of ['DATABASE_CA', 'DATABASE_CONNECTIONS']) {
    if (values.DATABASE_URL === null && isSet(name)) {
      throw new StartError(`${name} is set without DATABASE_URL: set both or neither.`);
    }
  }
  if (values.SERVER_KEYS !== null && values.SERVER_KEYS_FILE !== null) {
    throw new StartError('SERVER_KEYS and SERVER_KEYS_FILE are both set: drop one of them.');
  }
  return {
    port: values.PORT,
    host: values.HOST,
    publicUrl: values.PUBLIC_URL,
    hostNames: values.HOST_NAMES ?? [],
    dataFolder: values.DATA_DIR,
    postgres:
      values.DATABASE_URL === null
        ? null
        : { url: values.DATABASE_URL, ca: values.DATABASE_CA, connections: values.DATABASE_CONNECTIONS },
    ...readEnclaveSettings(values),
    tls: tlsSettings(values.TLS_CERT, values.TLS_KEY),
    serverKeys: values.SERVER_KEYS,
    serverKeysFile: values.SERVER_KEYS_FILE,
    clientAddress: joinAddressSettings(values.CLIENT_ADDRESS_HEADER, values.TRUSTED_PROXIES, {
      header: 'CLIENT_ADDRESS_HEADER',
      proxies: 'TRUSTED_PROXIES',
    }),
    connections: { total: values.CONNECTIONS, perAddress: values.CONNECTIONS_PER_ADDRESS },
    logLevel: values.LOG_LEVEL,
    signUp: values.SIGN_UP,
    quotaBytes: values.QUOTA_BYTES,
    diskReserveBytes: values.DISK_RESERVE_BYTES,
    storageLimitBytes: values.STORAGE_LIMIT_BYTES,
    clockCheckedAtMs: values.CLOCK_CHECKED_ON,
  };
}

function tlsSettings(certFile: string | null, keyFile: string | null): Settings['tls'] {
  if (certFile === null && keyFile === null) return null;
  if (certFile === null || keyFile === null) {
    throw new StartError(
      `${certFile === null ? 'TLS_KEY' : 'TLS_CERT'} is set alone: TLS_CERT and TLS_KEY go together.`,
    );
  }
  return { certFile, keyFile };
}
