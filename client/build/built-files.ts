import { readdir, rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

const compressedEndings = ['.br', '.gz'];

/** Names of all files under a folder, with `/` between. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

/** Removes what is not to be kept; a compressed copy goes and stays with its original. */
export async function removeOtherFiles(folder: string, keep: ReadonlySet<string>): Promise<void> {
  for (const name of await listFiles(folder)) {
    const ending = compressedEndings.find((each) => name.endsWith(each));
    const original = ending === undefined ? name : name.slice(0, -ending.length);
    if (!keep.has(original)) await rm(join(folder, name));
  }
}
