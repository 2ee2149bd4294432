import { StartError } from '../../../process/start-error.ts';
import { keysPathOf, type KeyPlace, readGivenKeys, readKeysFile, writeNewKeys } from './load-server-keys.ts';
import { parseServerKeys } from './server-keys.ts';

/** The key string for a backup. @throws {StartError} when this installation has none. */
export function readKeptKeys(place: KeyPlace): string {
  const path = keysPathOf(place);
  const kept = readGivenKeys(place) ?? readKeysFile(path);
  if (kept === null) {
    throw new StartError(`There are no server keys at ${path}: set DATA_DIR to the right folder, or give SERVER_KEYS.`);
  }
  const text = kept.trim();
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
  const path = keysPathOf(place);
  const present = readGivenKeys(place) ?? readKeysFile(path);
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
