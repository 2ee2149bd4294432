import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SizeReport } from './size-budget.ts';

/** `npm ci` and `npm ci --omit=dev` may put so much on a disk. */
const installBudgets = { everything: 750_000_000, production: 200_000_000 } as const;

/** Bytes of files under `node_modules`. */
export interface InstallSizes {
  readonly everything: number;
  /** The size of the packages that `npm ci --omit=dev` installs. */
  readonly production: number;
  /** Production packages that are not there though no platform may leave them out: the sizes would be too small. */
  readonly missing: readonly string[];
}

/** The members of an entry of `package-lock.json` that are read here. */
interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
  /** Both a development dependency and an optional one: `--omit=dev` alone keeps it. */
  readonly devOptional?: boolean;
}

/**
 * Measures what is installed, and how much of it production needs, without installing anything: the lock file marks what only
 * development needs, and packages for other platforms are not there.
 *
 * @param root - Folder of `package-lock.json` and `node_modules`.
 */
export function measureInstall(root: string): InstallSizes {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const wanted = Object.entries(lock.packages).filter(
    ([path, { dev }]) => path.startsWith('node_modules/') && dev !== true,
  );
  const present = wanted.filter(([path]) => existsSync(join(root, path)));
  return {
    everything: lengthOf(join(root, 'node_modules'), (name) => !isCache(name)),
    // Packages inside a package have lines of their own in the lock file.
    production: present.reduce((sum, [path]) => sum + lengthOf(join(root, path), (name) => name !== 'node_modules'), 0),
    missing: wanted
      .filter(([path, locked]) => !isOptional(locked) && !existsSync(join(root, path)))
      .map(([path]) => path),
  };
}

/** Compares what is installed with what may be. */
export function checkInstallSize(root: string): SizeReport {
  const sizes = measureInstall(root);
  const kinds = ['everything', 'production'] as const;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1_000_000)} MB`;
  return {
    isPassed: sizes.missing.length === 0 && kinds.every((kind) => sizes[kind] <= installBudgets[kind]),
    note: kinds.map((kind) => `${kind} ${megabytes(sizes[kind])} of ${megabytes(installBudgets[kind])}`).join(', '),
    output: sizes.missing.map((path) => `not installed: ${path}`).join('\n'),
  };
}

const isOptional = ({ optional, devOptional }: LockedPackage) => optional === true || devOptional === true;

/** Tools keep caches in hidden folders of `node_modules`; npm itself puts `.bin` there. */
const isCache = (name: string) => name.startsWith('.') && name !== '.bin';

/** Bytes of the files under a folder. Links are not followed; `isCounted` is asked about the folder's own entries alone. */
function lengthOf(folder: string, isCounted: (name: string) => boolean = () => true): number {
  let sum = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!isCounted(entry.name)) continue;
    const path = join(folder, entry.name);
    sum += entry.isDirectory() ? lengthOf(path) : lstatSync(path).size;
  }
  return sum;
}
