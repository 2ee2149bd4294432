import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { runCommand } from '../running/run-command.ts';

/** A browser loads this much before the page can be used, compressed with brotli. The rest comes on demand. */
const budgets = { js: 200_000, css: 30_000 } as const;

/** How the step of `npm run check` went. */
export interface SizeReport {
  readonly isPassed: boolean;
  /** Sizes against budgets, in a few words. */
  readonly note: string;
  /** The words of the build, if it failed. */
  readonly output: string;
}

/** Builds the client, if there is one, and compares its first load with the budget. */
export async function checkSizeBudget(root: string): Promise<SizeReport> {
  if (!existsSync(join(root, 'client', 'build.ts'))) return { isPassed: true, note: 'no client', output: '' };
  const command = ['node', 'client/build.ts'];
  const build = await runCommand(command, { cwd: root, timeoutMs: 120_000, output: 'collect' });
  if (build.exitCode !== 0) return { isPassed: false, note: 'the build failed', output: build.output };
  const sizes = measureFirstLoad(join(root, 'client', 'dist'));
  const kinds = ['js', 'css'] as const;
  const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1000)} KB`;
  return {
    isPassed: kinds.every((kind) => sizes[kind] <= budgets[kind]),
    note: kinds.map((kind) => `${kind} ${kilobytes(sizes[kind])} of ${kilobytes(budgets[kind])}`).join(', '),
    output: sizes.files.join('\n'),
  };
}

/** Measures what index.html names: scripts, modules to preload (all that the scripts import statically) and style sheets. */
export function measureFirstLoad(distFolder: string): { js: number; css: number; files: string[] } {
  const html = readFileSync(join(distFolder, 'index.html'), 'utf8');
  const sizes = { js: 0, css: 0, files: [] as string[] };
  for (const [, path, kind] of html.matchAll(/(?:src|href)="\/?([^"?#]+\.(js|css))"/g)) {
    if (path === undefined || (kind !== 'js' && kind !== 'css')) continue;
    const size = brotliCompressSync(readFileSync(join(distFolder, path))).length;
    sizes[kind] += size;
    sizes.files.push(`${size} ${path}`);
  }
  return sizes;
}
