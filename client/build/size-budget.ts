import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { distFolder, readStamp, type BuildStamp } from './build-stamp.ts';
import { readBundleGraph, staticClosure, type ModuleLinks } from './bundle-graph.ts';

const kilobyte = 1024;

export type BudgetLine = {
  readonly name: string;
  /** With brotli, as the relay sends it. */
  readonly bytes: number;
  readonly maximumBytes: number;
  readonly files: readonly string[];
};

/**
 * Compares the first loads of the built client with what they may weigh (brotli). The loads are the home page without crypto,
 * signing in with its Worker, everything that a chat has at hand, and the verifiers. The verifiers are fetched when their kind
 * of evidence is met.
 *
 * @throws {Error} when the client is not built, or a part that is measured is not in the build.
 */
export function measureBudget(): readonly BudgetLine[] {
  const stamp = readStamp();
  if (stamp === null) throw new Error('The client is not built: run "npm run build" first.');
  const names = Object.keys(stamp.files);
  const graph = readBundleGraph(distFolder, names);
  const html = readFileSync(join(distFolder, 'index.html'), 'utf8');
  const linked = [...html.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, path]) => path ?? '');

  const home = ['index.html', ...linked.flatMap((name) => staticClosure(graph, [name]))];
  const worker = scriptsNamed(graph, 'vault-worker');
  const signIn = [
    ...home,
    ...staticClosure(graph, [
      ...scriptsNamed(graph, 'sign-in-page'),
      ...worker,
      // These prove the password; libsodium and HPKE are fetched while the relay answers.
      ...scriptsNamed(graph, 'vault-sign-in'),
      ...scriptsNamed(graph, 'vault-opaque'),
    ]),
  ];
  const chat = [
    ...signIn,
    ...staticClosure(graph, [...scriptsNamed(graph, 'chat-page'), ...dynamicClosure(graph, worker)]),
  ];
  // These come on top of an open vault (its chunk bears HPKE's name) when every kind is met.
  const openVault = new Set(staticClosure(graph, [...worker, ...scriptsNamed(graph, 'vault-hpke')]));
  const verifiers = staticClosure(
    graph,
    ['modal', 'sev-snp', 'tdx', 'nvidia-gpu'].flatMap((kind) => scriptsNamed(graph, `vault-verify-${kind}`)),
  ).filter((file) => !openVault.has(file));
  return [
    budgetLine(stamp, 'home', 120, home),
    budgetLine(stamp, 'sign-in with its Worker', 360, signIn),
    budgetLine(stamp, 'chat with everything in the Worker', 800, chat),
    budgetLine(stamp, 'verifiers of all kinds of evidence', 60, verifiers),
  ];
}

function budgetLine(stamp: BuildStamp, name: string, kilobytes: number, files: readonly string[]): BudgetLine {
  const unique = [...new Set(files)];
  const bytes = unique.reduce((sum, file) => sum + (stamp.files[file]?.brotli ?? 0), 0);
  return { name, bytes, maximumBytes: kilobytes * kilobyte, files: unique };
}

function scriptsNamed(graph: Record<string, ModuleLinks>, name: string): string[] {
  const found = Object.keys(graph).filter((file) => file.startsWith(`assets/${name}-`));
  if (found.length === 0) throw new Error(`The build has no script "${name}".`);
  return found;
}

function dynamicClosure(graph: Record<string, ModuleLinks>, entries: readonly string[]): string[] {
  const found = new Set<string>();
  const queue = [...entries];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    for (const file of staticClosure(graph, [name])) {
      for (const next of graph[file]?.dynamicImports ?? []) {
        if (!found.has(next)) queue.push(next);
        found.add(next);
      }
    }
  }
  return [...found];
}

if (import.meta.main) {
  for (const { name, bytes, maximumBytes } of measureBudget()) {
    const verdict = bytes <= maximumBytes ? 'fits' : 'TOO LARGE';
    console.log(`${name}: ${(bytes / kilobyte).toFixed(1)} of ${maximumBytes / kilobyte} KB, ${verdict}`);
    if (bytes > maximumBytes) process.exitCode = 1;
  }
}
