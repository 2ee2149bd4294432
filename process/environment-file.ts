import { readFileSync } from 'node:fs';
import { parseEnvironmentFile } from './settings/environment-file.ts';
import { complainOfNamesInFile } from './settings/unknown-names.ts';
import { StartError } from './start-error.ts';

/**
 * Reads `.env` of the folder that Sotto is started in; what is set already wins.
 *
 * @throws {StartError} for one that is there and cannot be read, and for a name or a line that is no setting.
 */
export function loadEnvironmentFile(): void {
  const text = readText();
  if (text === null) return;
  const values = parseEnvironmentFile(text);
  complainOfNamesInFile([...values.keys()]);
  for (const [name, value] of values) process.env[name] ??= value;
}

/** @returns null where there is none. */
function readText(): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync('.env'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new StartError('The file .env cannot be read: it must be a text file of the user who runs Sotto.');
  }
}
