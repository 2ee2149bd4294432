import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Text by path from the project's root, with `/`. */
export type SourceFiles = ReadonlyMap<string, string>;

export const projectRoot = join(import.meta.dirname, '..', '..');

const rooms = ['crypto', 'process', 'server', 'enclave-worker', 'registrar', 'client', 'audit', 'test'];
/** Generated, or served as they are. */
const otherFolders = new Set(['node_modules', 'dist', 'report', 'public']);

/** Reads every file of code of every room that is there already. */
export function readSourceFiles(root = projectRoot): SourceFiles {
  const files = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !otherFolders.has(entry.name)) visit(path);
      if (entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name)) {
        files.set(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8'));
      }
    }
  };
  for (const room of rooms) {
    const folder = join(root, room);
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) visit(folder);
  }
  return files;
}
