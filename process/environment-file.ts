import { existsSync } from 'node:fs';
import { StartError } from './start-error.ts';

/**
 * Reads `.env` of the folder that Sotto is started in; what is set already wins.
 *
 * @throws {StartError} for one that is there and cannot be read.
 */
export function loadEnvironmentFile(): void {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env');
  } catch {
    throw new StartError('The file .env cannot be read: it must be a text file of the user who runs Sotto.');
  }
}
