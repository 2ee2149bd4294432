import { createWriteStream, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { StartError } from '../../../process/start-error.ts';
import { removeOnSignal } from './removed-on-signal.ts';

/**
 * Writes lines, packed, into a file that appears under its name only once it is whole and on the disk.
 *
 * @throws {StartError} when the file exists already, or its disk is full or cannot be written.
 */
export async function writePackedLines(path: string, lines: AsyncIterable<string>): Promise<void> {
  if (existsSync(path)) throw existsAlready(path);
  const part = `${path}.${process.pid}.part`;
  const keep = removeOnSignal(part);
  try {
    const file = createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true });
    await pipeline(Readable.from(lines), createGzip(), file);
    // Somebody else may have been faster.
    if (existsSync(path)) throw existsAlready(path);
    await rename(part, path);
    const folder = await open(dirname(path));
    await folder.sync();
    await folder.close();
  } catch (error) {
    await rm(part, { force: true });
    throw complaintOf(error, path);
  } finally {
    keep();
  }
}

function existsAlready(path: string): StartError {
  return new StartError(`${path} exists already: a backup is never overwritten.`);
}

function complaintOf(error: unknown, path: string): unknown {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  // An error of the database says enough by itself.
  if (typeof code !== 'string' || typeof syscall !== 'string') return error;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new StartError(`There is no room for ${path}: nothing was written.`)
    : new StartError(`${path} cannot be written.`);
}
