import { logLevels } from '../event-log.ts';
import { optional, usual } from './setting.ts';
import * as kind from './value-kinds.ts';

const bytes = (least: number) => kind.wholeNumber(least, Number.MAX_SAFE_INTEGER);

/** The relay reads these; it shares some with the worker. */
export const relayRows = {
  PORT: usual(['relay'], kind.wholeNumber(0, 65_535), '8787', 'where the relay listens'),
  HOST: usual(['relay'], kind.listenHost, '127.0.0.1', 'the address that it listens on'),
  PUBLIC_URL: optional(
    ['relay', 'compose'],
    kind.publicOrigin,
    'the https address that people type; turns HSTS on, fixes the allowed origin, and is the one name that the relay answers under',
  ),
  HOST_NAMES: optional(['relay'], kind.hostNames, 'further names, with https too, separated by commas'),
  TLS_CERT: optional(['relay'], kind.path, 'a PEM file; with `TLS_KEY` the relay speaks HTTPS (HTTP/2 and 1.1) itself'),
  TLS_KEY: optional(['relay'], kind.path, 'the key of that certificate'),
  DATA_DIR: usual(
    ['relay', 'worker'],
    kind.path,
    './data',
    'the folder of the SQLite database and the keys; for a worker, of the models that `auto` downloads',
  ),
  DATABASE_URL: optional(
    ['relay'],
    kind.text,
    'PostgreSQL instead of SQLite. `sslmode` in it: none or `disable` is without TLS, `require` encrypts and checks nothing, `verify-full` (or `verify-ca`) checks certificate and name; anything else that begins with `ssl` is refused',
  ),
  DATABASE_CA: optional(['relay'], kind.path, 'the PEM file of the CA of PostgreSQL, which is then always checked', {
    // Without it PostgreSQL is not checked, so a value that was lost on the way must not pass for none.
    refusesEmpty: true,
  }),
  DATABASE_CONNECTIONS: usual(
    ['relay', 'compose'],
    kind.wholeNumber(2, 1000),
    '8',
    "connections to PostgreSQL that a relay may have, and one more to hear other relays: all relays together stay below the server's limit",
  ),
  SERVER_KEYS: optional(
    ['relay', 'compose'],
    kind.text,
    'OPAQUE setup, name key and token keys, as `npm run keys` prints them',
    {
      usually: 'a file in `DATA_DIR`',
    },
  ),
  SERVER_KEYS_FILE: optional(['relay'], kind.path, 'the file that holds them, instead', {
    usually: 'a file in `DATA_DIR`',
  }),
  ENCLAVE_POOL: usual(
    ['relay', 'compose'],
    kind.oneOf('local', 'static', 'modal'),
    'local',
    '`local` starts a worker beside the relay, `static` takes `ENCLAVE_URLS`, `modal` takes the two below',
    { usually: '`local`; the worker of docker-compose.yml' },
  ),
  ENCLAVE_URLS: optional(['relay', 'compose'], kind.workerUrls, 'workers, separated by commas'),
  ENCLAVE_TOKEN: optional(
    ['relay', 'worker', 'compose'],
    kind.sharedToken,
    'the secret that relay and worker share, 32 characters or more; with `local`, `npm start` draws a new one each time, whatever is given',
  ),
  ENCLAVE_CERTIFICATES: optional(
    ['relay', 'compose'],
    kind.path,
    'a PEM file: the certificates of https workers, believed alone. `certificates/NAME.pem` is one in that folder, with and without Docker',
  ),
  MODAL_SERVER_URL: optional(['relay', 'compose'], kind.httpsUrl, 'what `modal deploy` printed'),
  MODAL_PROXY_TOKEN: optional(['relay', 'compose'], kind.proxyToken, 'a proxy token, `wk-….ws-…`'),
  COLLATERAL_AMD_URL: optional(
    ['relay', 'compose'],
    kind.httpsUrl,
    "where AMD's certificates and lists for hardware evidence are fetched: a cache of yours, https",
    { usually: 'AMD’s own' },
  ),
  COLLATERAL_INTEL_URL: optional(['relay', 'compose'], kind.httpsUrl, "the same for Intel's", {
    usually: 'Intel’s own',
  }),
  COLLATERAL_NVIDIA_URL: optional(['relay', 'compose'], kind.httpsUrl, "the same for NVIDIA's", {
    usually: 'NVIDIA’s own',
  }),
  COLLATERAL_NVIDIA_OCSP_URL: optional(
    ['relay', 'compose'],
    kind.httpsUrlOrOff,
    'where NVIDIA is asked whether the certificate of a GPU was revoked; `off` asks nowhere',
    { usually: 'NVIDIA’s own' },
  ),
  SIGN_UP: usual(['relay', 'compose'], kind.oneOf('open', 'closed'), 'open', '`closed` refuses new accounts'),
  QUOTA_BYTES: usual(['relay', 'compose'], bytes(2 ** 20), String(2 ** 30), 'stored bytes an account', {
    usually: '1 GiB',
  }),
  DISK_RESERVE_BYTES: optional(
    ['relay'],
    bytes(0),
    'SQLite: what stays free of the disk for those who are there; 0 turns it off',
    { usually: 'a hundredth of the disk, 64 MiB to 1 GiB' },
  ),
  STORAGE_LIMIT_BYTES: optional(
    ['relay', 'compose'],
    bytes(2 ** 24),
    'the most that the whole database may take; with PostgreSQL the only bound, since its disk cannot be seen from the relay',
  ),
  CLOCK_CHECKED_ON: optional(
    ['relay', 'compose'],
    kind.date,
    'a date (2026-11-30) on which somebody looked at the machine\'s clock: below, "When the clock is wrong"',
  ),
  CLIENT_ADDRESS_HEADER: optional(['relay'], kind.headerName, "where a proxy writes the client's address"),
  TRUSTED_PROXIES: optional(['relay'], kind.networks, 'which proxies may: addresses and networks, separated by commas'),
  CONNECTIONS: usual(['relay', 'compose'], kind.wholeNumber(100, 1_000_000), '10000', 'open at a time, of everybody', {
    usually: '10,000',
  }),
  CONNECTIONS_PER_ADDRESS: usual(
    ['relay', 'compose'],
    kind.wholeNumber(10, 1_000_000),
    '500',
    'the same of one address; a trusted proxy counts in the first alone',
  ),
  LOG_LEVEL: usual(
    ['relay', 'worker', 'compose'],
    kind.oneOf(...logLevels),
    'info',
    '`error`, `warn`, `info`, `debug`',
    {
      usually: '`info`; `warn` under `npm start`',
    },
  ),
};
