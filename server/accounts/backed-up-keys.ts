import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../start-error.ts';
import { type KeyPlace, readGivenKeys, serverKeysFileName, writeNewKeys } from './load-server-keys.ts';
import { parseServerKeys } from './server-keys.ts';

/** The key string for a backup. @throws {StartError} when this installation has none. */
export function readKeptKeys(place: KeyPlace): string {
  const path = join(place.dataFolder, serverKeysFileName);
  const given = readGivenKeys(place);
  if (given === null && !existsSync(path)) {
    throw new StartError(`There are no server keys at ${path}: set DATA_DIR to the right folder, or give SERVER_KEYS.`);
  }
  const text = (given ?? readFileSync(path, 'utf8')).trim();
  parseServerKeys(text);
  return text;
}

/**
 * Looks whether the keys of a backup can be put where the relay will look for them.
 *
 * @returns what puts them there, for after the database was restored: keys without it would keep other backups out. Null when
 *   they are there already.
 * @throws {StartError} when other keys are there already: they belong to something else.
 */
export function acceptBackedUpKeys(place: KeyPlace, text: string): (() => void) | null {
  const { fingerprint } = parseServerKeys(text);
  const path = join(place.dataFolder, serverKeysFileName);
  const present = readGivenKeys(place) ?? (existsSync(path) ? readFileSync(path, 'utf8') : null);
  if (present === null) return () => writeKeysBehind(path, text);
  if (parseServerKeys(present).fingerprint !== fingerprint) {
    throw new StartError(
      'Other server keys are here already: restore into a folder of its own, or take SERVER_KEYS out.',
    );
  }
  return null;
}

function writeKeysBehind(path: string, text: string): void {
  try {
    writeNewKeys(path, text);
  } catch {
    throw new StartError(
      `The database is restored, but its server keys cannot be written to ${path}: mend that and run the same command again.`,
    );
  }
}
