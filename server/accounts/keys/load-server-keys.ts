import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isLoopback } from '../../../process/loopback.ts';
import type { Settings } from '../../settings.ts';
import { StartError } from '../../../process/start-error.ts';
import type { Database } from '../../storage/tables/database.ts';
import { generateServerKeys, parseServerKeys, type ServerKeys } from './server-keys.ts';

const serverKeysFileName = 'server-keys';
const fingerprintName = 'server-keys';

export type KeyPlace = Pick<Settings, 'serverKeys' | 'serverKeysFile' | 'dataFolder' | 'postgres' | 'host'>;

/**
 * Finds the keys that belong to a database, makes them when both are new, and refuses any others: with other keys every
 * name would be unknown and every password wrong.
 *
 * @throws {StartError}
 */
export async function loadServerKeys(place: KeyPlace, database: Database): Promise<ServerKeys> {
  const known = await readFingerprint(database);
  const keys = parseServerKeys(readGivenKeys(place) ?? (await readOrMakeFile(place, known === null)));
  if (known === null) {
    await database.db
      .insertInto('metadata')
      .values({ name: fingerprintName, value: keys.fingerprint })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
  }
  // Read again: another replica may have been first.
  if ((await readFingerprint(database)) !== keys.fingerprint) {
    throw new StartError(
      'These server keys belong to another database: give the ones that were backed up with this one.',
    );
  }
  return keys;
}

/** True if a database was made with these keys. */
export async function hasKeysOf(database: Database, keys: string): Promise<boolean> {
  return (await readFingerprint(database)) === parseServerKeys(keys).fingerprint;
}

/**
 * For a backup: with other keys nobody in it could ever sign in, and that would be seen when it is needed.
 *
 * @throws {StartError} for keys of another database.
 */
export async function requireKeysOf(database: Database, keys: string): Promise<void> {
  const known = await readFingerprint(database);
  if (known !== null && known !== parseServerKeys(keys).fingerprint) {
    throw new StartError(
      'These server keys belong to another database: set SERVER_KEYS, SERVER_KEYS_FILE or DATA_DIR as its relay has them.',
    );
  }
}

async function readFingerprint(database: Database): Promise<string | null> {
  const row = await database.db
    .selectFrom('metadata')
    .select('value')
    .where('name', '=', fingerprintName)
    .executeTakeFirst();
  return row?.value ?? null;
}

/** The text of SERVER_KEYS or SERVER_KEYS_FILE; null when neither is set. */
export function readGivenKeys(place: KeyPlace): string | null {
  if (place.serverKeys !== null) return place.serverKeys;
  if (place.serverKeysFile !== null) {
    try {
      return readFileSync(place.serverKeysFile, 'utf8');
    } catch {
      throw new StartError('SERVER_KEYS_FILE cannot be read: give the path of the file that holds the server keys.');
    }
  }
  if (place.postgres !== null && !isLoopback(place.host)) {
    // A container's own folder is gone with it, and the accounts in the database would be lost.
    throw new StartError(
      'DATABASE_URL on a public HOST needs SERVER_KEYS or SERVER_KEYS_FILE: make them with `npm run keys`.',
    );
  }
  return null;
}

async function readOrMakeFile(place: KeyPlace, mayMake: boolean): Promise<string> {
  const path = keysPathOf(place);
  const kept = readKeysFile(path);
  if (kept === null) {
    if (!mayMake) {
      throw new StartError(
        `The server keys of this database are missing: put ${path} back, give SERVER_KEYS, or restore its backup again.`,
      );
    }
    const made = await generateServerKeys();
    try {
      writeNewKeys(path, made);
    } catch {
      throw new StartError(
        `The server keys cannot be written to ${path}: look at its folder and the room on its disk.`,
      );
    }
    return made;
  }
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new StartError(`The file ${path} can be read by others: run chmod 600 on it.`);
  }
  return kept;
}

/** Where the keys are that belong to a data folder. */
export function keysPathOf({ dataFolder }: Pick<KeyPlace, 'dataFolder'>): string {
  return join(dataFolder, serverKeysFileName);
}

/** @returns null where there are none. @throws {StartError} for something in their place that cannot be read. */
export function readKeysFile(path: string): string | null {
  try {
    // A link that leads nowhere is not nothing: what it named may be on a disk that is not there yet.
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return null;
    return readFileSync(path, 'utf8');
  } catch {
    throw new StartError(`The server keys at ${path} cannot be read: it must be a file of the user who runs Sotto.`);
  }
}

/** On the disk, name and all, before any account depends on them; whole or not at all, and never over others. */
export function writeNewKeys(path: string, keys: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const part = `${path}.${process.pid}.part`;
  try {
    const file = openSync(part, 'w', 0o600);
    writeSync(file, `${keys}\n`);
    fsyncSync(file);
    closeSync(file);
    takeName(part, path);
  } finally {
    rmSync(part, { force: true });
  }
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

/** A second process that makes keys in this folder must fail, not replace them: so a link, which takes no name that is taken. */
function takeName(part: string, path: string): void {
  try {
    linkSync(part, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' || existsSync(path)) throw error;
    // A file system without links.
    renameSync(part, path);
  }
}
