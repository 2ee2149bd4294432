import { resolve } from 'node:path';
import { domainToASCII } from 'node:url';
import { type EnclaveSettings, readEnclaveSettings } from './enclave-settings.ts';
import { nameOf } from './api/guards/host-name.ts';
import type { LogLevel } from '../process/event-log.ts';
import { logLevels } from '../process/event-log.ts';
import { checkNames } from './setting-names.ts';
import { type AddressSettings, readAddressSettings } from '../process/http/client-address.ts';
import { isLoopback } from '../process/loopback.ts';
import { StartError } from '../process/start-error.ts';
import { usualConnections } from './storage/postgres/postgres.ts';
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

/** A connection takes up to 100 KiB. One address may be an office, with six connections a browser on HTTP/1.1. */
export const usualPlaces = { total: 10_000, perAddress: 500 } as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {StartError} for the first wrong value, or for a name that nobody reads. */
export function readSettings(environment: Environment): Settings {
  checkNames(Object.keys(environment).filter((name) => environment[name] !== ''));
  const text = (name: string): string | null => {
    const value = environment[name]?.trim() ?? '';
    return value === '' ? null : value;
  };
  const databaseUrl = text('DATABASE_URL');
  if (databaseUrl === null && text('DATABASE_CA') !== null) {
    throw new StartError('DATABASE_CA is set without DATABASE_URL: set both or neither.');
  }
  if (databaseUrl === null && text('DATABASE_CONNECTIONS') !== null) {
    throw new StartError('DATABASE_CONNECTIONS is set without DATABASE_URL: set both or neither.');
  }
  if (text('SERVER_KEYS') !== null && text('SERVER_KEYS_FILE') !== null) {
    throw new StartError('SERVER_KEYS and SERVER_KEYS_FILE are both set: drop one of them.');
  }
  const bytes = (name: string, least: number): number | null => {
    const value = text(name);
    return value === null ? null : wholeNumber(name, value, least, Number.MAX_SAFE_INTEGER);
  };
  return {
    port: wholeNumber('PORT', text('PORT') ?? '8787', 0, 65_535),
    host: host(text('HOST')),
    publicUrl: publicUrl(text('PUBLIC_URL')),
    hostNames: hostNames(text('HOST_NAMES')),
    dataFolder: resolve(text('DATA_DIR') ?? './data'),
    postgres:
      databaseUrl === null
        ? null
        : {
            url: databaseUrl,
            ca: text('DATABASE_CA'),
            connections: wholeNumber(
              'DATABASE_CONNECTIONS',
              text('DATABASE_CONNECTIONS') ?? String(usualConnections),
              2,
              1000,
            ),
          },
    ...readEnclaveSettings(text),
    tls: tlsSettings(text('TLS_CERT'), text('TLS_KEY')),
    serverKeys: text('SERVER_KEYS'),
    serverKeysFile: text('SERVER_KEYS_FILE'),
    clientAddress: readAddressSettings(text('CLIENT_ADDRESS_HEADER'), text('TRUSTED_PROXIES'), {
      header: 'CLIENT_ADDRESS_HEADER',
      proxies: 'TRUSTED_PROXIES',
    }),
    connections: {
      total: wholeNumber('CONNECTIONS', text('CONNECTIONS') ?? String(usualPlaces.total), 100, 1_000_000),
      perAddress: wholeNumber(
        'CONNECTIONS_PER_ADDRESS',
        text('CONNECTIONS_PER_ADDRESS') ?? String(usualPlaces.perAddress),
        10,
        1_000_000,
      ),
    },
    logLevel: oneOf('LOG_LEVEL', text('LOG_LEVEL') ?? 'info', logLevels),
    signUp: oneOf('SIGN_UP', text('SIGN_UP') ?? 'open', ['open', 'closed']),
    quotaBytes: bytes('QUOTA_BYTES', 2 ** 20) ?? 2 ** 30,
    diskReserveBytes: bytes('DISK_RESERVE_BYTES', 0),
    storageLimitBytes: bytes('STORAGE_LIMIT_BYTES', 2 ** 24),
    clockCheckedAtMs: date('CLOCK_CHECKED_ON', text('CLOCK_CHECKED_ON')),
  };
}

function host(value: string | null): string {
  if (value !== null && !/^[\w.:%-]{1,255}$/.test(value)) {
    throw new StartError(
      'HOST is not an address of this machine: write 127.0.0.1, ::1, 0.0.0.0 or ::, without brackets.',
    );
  }
  return value ?? '127.0.0.1';
}

function publicUrl(value: string | null): string | null {
  if (value === null) return null;
  const url = URL.parse(value);
  const name = url === null ? null : nameOf(url.hostname);
  const isLocal = url !== null && isLoopback(url.hostname);
  if (url === null || name === null || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal))) {
    throw new StartError('PUBLIC_URL is not an https address: write https://your.name, as people type it.');
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new StartError('PUBLIC_URL has more than a name: write https://your.name without a path.');
  }
  // Without the dot of the root, as the origin that a browser says.
  url.hostname = name;
  return url.origin;
}

function hostNames(value: string | null): string[] {
  return (value ?? '').split(',').flatMap((part) => {
    const name = part.trim();
    if (name === '') return [];
    const written = /^[\w.:[\]-]*$/.test(name) ? name.toLowerCase() : domainToASCII(name);
    const own = nameOf(written);
    if (own === null || own !== written.replace(/\.$/, '')) {
      throw new StartError('HOST_NAMES holds something that is no name: write chat.example, separated by commas.');
    }
    return [own];
  });
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

function wholeNumber(name: string, value: string, least: number, most: number): number {
  const parsed = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!(parsed >= least && parsed <= most)) {
    throw new StartError(`${name} must be a whole number from ${least} to ${most}.`);
  }
  return parsed;
}

function date(name: string, value: string | null): number | null {
  if (value === null) return null;
  const timeMs = /^\d{4}-\d{2}-\d{2}$/.test(value) ? Date.parse(value) : Number.NaN;
  // Of the 31st of February others make the 3rd of March.
  if (Number.isNaN(timeMs) || !new Date(timeMs).toISOString().startsWith(value)) {
    throw new StartError(`${name} must be a date such as 2026-11-30.`);
  }
  return timeMs;
}

function oneOf<const Choice extends string>(name: string, value: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new StartError(`${name} must be one of ${choices.join(', ')}.`);
  return found;
}
