import { StartError } from '../start-error.ts';
import type { Reader, Setting } from './setting.ts';
import { settingNames, settingsTable } from './settings-table.ts';

/** Beginnings that belong to Sotto alone: an unknown name with one of them is a mistake, not somebody else's variable. */
const ownPrefixes = [
  'ENCLAVE_',
  'COLLATERAL_',
  'LLM_',
  'REGISTRAR_',
  'EVIDENCE',
  'SERVER_KEYS',
  'TRUSTED_PROX',
  'CLIENT_ADDRESS',
  'DATABASE_CONN',
  'DISK_RESERVE',
  'STORAGE_LIMIT',
  'CLOCK_CHECKED',
];
/** Ours at the relay alone: worker and registrar may run in a container of Modal, which has many of its own. */
const modalPrefix = 'MODAL_';
/** Modal's own tools and containers set these; what the deployment there wants to know; and a name that every container has. */
const foreignNames =
  /^(MODAL_(TOKEN_ID|TOKEN_SECRET|IDENTITY_TOKEN|IDENTITY_TOKEN_FILE|ENVIRONMENT|PROFILE|CONFIG_PATH|TASK_ID|IMAGE_ID|IS_REMOTE|CLOUD_PROVIDER|REGION)|REGISTRAR_DEPLOYMENT|HOSTNAME)$/;
/** Kubernetes sets these for a service that somebody named `enclave` or `registrar`. */
const serviceNames = /_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)$/;
const serviceAddress = /^(tcp|udp|sctp):\/\//;
/**
 * An `.env` may hold these for others: Compose, Docker, Node, PostgreSQL's client, Modal's deployment, proxies, clock and
 * words.
 */
const foreignInFile =
  /^((COMPOSE|DOCKER|NODE|NPM|SOTTO|LC)_[A-Z0-9_]+|PG[A-Z]+|SSL_CERT_(FILE|DIR)|(HTTPS?|NO|ALL|FTP)_PROXY|TZ|LANG|PATH|HOME|DEBUG|CHROMIUM_PATH)$/i;

/** A shorter name has too much near it by chance, as PORT has POST: letters in another order, case or with blanks are a slip. */
const leastLength = 6;
const lettersOf = (name: string): string => plainName(name).split('').toSorted().join('');

/** As a setting is written, for a name that was written with blanks, dashes or small letters. */
function plainName(name: string): string {
  return name.trim().toUpperCase().replaceAll('-', '_');
}

/**
 * Looks through an environment that holds other people's variables too. A name is a mistake if it begins as ours alone do. It
 * is one too if it is a slip away from one of ours that is not set itself.
 *
 * @param reader - Whoever reads this environment.
 * @throws {StartError} that names the nearest right name.
 */
export function complainOfUnknownNames(
  reader: Reader,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const prefixes = reader === 'relay' ? [...ownPrefixes, modalPrefix] : ownPrefixes;
  const isSet = (name: string) => environment[name] !== undefined && environment[name] !== '';
  for (const name of Object.keys(environment)) {
    if (!isSet(name) || isKnown(name) || foreignNames.test(name)) continue;
    if (serviceNames.test(name) || serviceAddress.test(environment[name] ?? '')) continue;
    const { nearest } = nearestName(name, settingNames);
    const slip = nearestName(name, processNames);
    const isOurs = prefixes.some((prefix) => name.startsWith(prefix));
    const isNear = slip.distance <= (slip.nearest.length < 12 ? 1 : 2);
    const isModals = reader === 'worker' && name.startsWith(modalPrefix);
    const isTypo = slip.nearest.length >= leastLength ? isNear : lettersOf(name) === lettersOf(slip.nearest);
    const isSlip = !isModals && isTypo && !isSet(slip.nearest);
    if (isOurs || isSlip) throw new StartError(`There is no setting ${name}; did you mean ${nearest}?`);
  }
}

/**
 * Looks through the names of an `.env`, all of which are meant for Sotto.
 *
 * @throws {StartError}
 */
export function complainOfNamesInFile(names: readonly string[]): void {
  for (const name of names) {
    if (isKnown(name) || foreignNames.test(name) || foreignInFile.test(name)) continue;
    throw new StartError(
      `The file .env sets ${name}, and there is no such setting; did you mean ${nearestName(name, settingNames).nearest}?`,
    );
  }
}

/** A process reads these from its own environment; Compose reads the others out of a file alone. */
const processNames = settingNames.filter((name) =>
  (settingsTable[name] as Setting).who.some((who) => who !== 'compose'),
);

const isKnown = (name: string): boolean => settingNames.some((known) => known === name);

function nearestName(name: string, among: readonly string[]): { readonly nearest: string; readonly distance: number } {
  let best = { nearest: '', distance: Infinity };
  for (const nearest of among) {
    const distance = editDistance(plainName(name), nearest);
    if (distance < best.distance) best = { nearest, distance };
  }
  return best;
}

/** How many letters to add, drop, change, or exchange with their neighbour (optimal string alignment). */
export function editDistance(from: string, to: string): number {
  let [before, row] = [[] as number[], Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = from[i - 1] === to[j - 1] ? 0 : 1;
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + change,
          isSwap ? (before[j - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    [before, row] = [row, next];
  }
  return row[to.length] ?? 0;
}
