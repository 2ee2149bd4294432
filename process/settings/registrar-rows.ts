import { optional, usual } from './setting.ts';
import * as kind from './value-kinds.ts';

const registered = 'that may be registered; several with commas. It stands in the identity token of a container';

/** Only the registrar reads these. */
export const registrarRows = {
  REGISTRAR_KEYS: optional(
    ['registrar'],
    kind.text,
    'the line that `registrar:keys` printed: two Ed25519 keys, one for statements, one for the log',
  ),
  REGISTRAR_KEYS_FILE: optional(['registrar'], kind.path, 'the file that holds it, instead'),
  REGISTRAR_LOG_ORIGIN: optional(
    ['registrar'],
    kind.logOrigin,
    'name of the log, as `registrar.example.com/log-1`; for ever the same',
  ),
  MODAL_WORKSPACE_ID: optional(
    ['registrar'],
    kind.modalIds('ac-…'),
    `\`ac-…\` ${registered}. A client's policy names one of each of these four`,
  ),
  MODAL_ENVIRONMENT_ID: optional(['registrar'], kind.modalIds('en-…'), `\`en-…\` ${registered}`),
  MODAL_APP_ID: optional(['registrar'], kind.modalIds('ap-…'), `\`ap-…\` ${registered}`),
  MODAL_FUNCTION_ID: optional(['registrar'], kind.modalIds('fu-…'), `\`fu-…\` ${registered}`),
  REGISTRAR_DATA_DIR: usual(['registrar'], kind.path, './registrar-data', 'one SQLite file'),
  REGISTRAR_HOST: usual(['registrar'], kind.listenHost, '127.0.0.1', 'the address that it listens on'),
  REGISTRAR_PORT: usual(['registrar'], kind.wholeNumber(0, 65_535), '8789', 'its port'),
  REGISTRAR_TLS_CERT: optional(
    ['registrar'],
    kind.path,
    'a PEM file: https of its own. Identity tokens are bearer secrets: nothing but https may carry them',
  ),
  REGISTRAR_TLS_KEY: optional(['registrar'], kind.path, 'the key of that certificate'),
  REGISTRAR_BEHIND_PROXY: optional(['registrar'], kind.oneOf('yes'), '`yes`: an https proxy stands before it instead'),
  REGISTRAR_ADDRESS_HEADER: optional(
    ['registrar'],
    kind.headerName,
    'with a proxy: the header in which it names the caller, for rate limits. Without it all callers behind a proxy share one limit, fifty times as high: a stranger can then use it up',
  ),
  REGISTRAR_TRUSTED_PROXIES: optional(
    ['registrar'],
    kind.networks,
    'the addresses or networks of those who may set it, with commas; both or neither',
  ),
  REGISTRAR_STATEMENT_SECONDS: usual(
    ['registrar'],
    kind.seconds(60, 3600),
    '3600',
    "life of a statement, from 60 on. A policy's `maximumEvidenceAgeMs` must not be less",
  ),
  REGISTRAR_TOKEN_MAX_AGE_SECONDS: usual(
    ['registrar'],
    kind.seconds(60, 86_400),
    '3600',
    'how old a token may be at its registration',
  ),
  REGISTRAR_JWKS_CACHE_SECONDS: usual(
    ['registrar'],
    kind.seconds(1, 3600),
    '3600',
    "how long Modal's keys are believed; no longer than this",
  ),
  REGISTRAR_JWKS_COOLDOWN_SECONDS: usual(
    ['registrar'],
    kind.seconds(1, 3600),
    '30',
    'how often an unknown key id makes it look again',
  ),
  REGISTRAR_COMMIT_URL: optional(['registrar'], kind.loopbackUrl, 'see below; not needed on a disk of its own'),
  REGISTRAR_TEST_ISSUER: optional(['registrar'], kind.loopbackUrl, 'tests only: another issuer, on this machine'),
};
