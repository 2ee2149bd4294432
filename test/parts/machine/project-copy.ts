import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

const projectFolder = resolve(import.meta.dirname, '../../..');
/** The client is built from these, and relay and worker run from them. */
const dependencies = /^(client|crypto|process|server|enclave-worker|package(-lock)?\.json|tsconfig.*\.json)$/;
const builtFolders = /^(client|enclave-worker)\/dist$/;

/**
 * Copies the product, nothing built, into an empty folder, where a test may change it. Each installed package is a link:
 * what tools write beside them stays in the folder.
 */
export function copyProject(folder: string): void {
  for (const name of readdirSync(projectFolder).filter((each) => dependencies.test(each))) {
    cpSync(join(projectFolder, name), join(folder, name), {
      recursive: true,
      filter: (source) => !builtFolders.test(source.slice(projectFolder.length + 1)),
    });
  }
  const packages = join(projectFolder, 'node_modules');
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(packages)) {
    const isCache = name.startsWith('.') && name !== '.bin';
    if (!isCache) symlinkSync(join(packages, name), join(folder, 'node_modules', name));
  }
}
