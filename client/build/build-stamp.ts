import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildIdentity } from './build-identity.ts';
import type { FileSize } from './compress.ts';

export const distFolder = join(import.meta.dirname, '..', 'dist');
/** Written last: a build that was interrupted has none and is made again. */
export const stampPath = join(distFolder, 'build.json');

/** `client/dist/build.json`: which sources were built, and every file that belongs to the build. */
export type BuildStamp = BuildIdentity & {
  readonly format: 1;
  readonly files: Record<string, FileSize>;
};

/** @returns null when the client is not built, or not to the end. */
export function readStamp(): BuildStamp | null {
  if (!existsSync(stampPath)) return null;
  try {
    return JSON.parse(readFileSync(stampPath, 'utf8')) as BuildStamp;
  } catch {
    return null;
  }
}
