import { dirname } from 'node:path/posix';
import { readFileShape } from './read-imports.ts';
import type { SourceFiles } from './source-files.ts';

/** Holds what imports what, by path from the project's root. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** The files that each file imports, those that it only takes types from included. */
export function fileGraph(files: SourceFiles): Graph {
  const targets = (path: string, text: string): string[] =>
    readFileShape(path, text).imports.flatMap((imported) => imported.path ?? []);
  return new Map([...files].map(([path, text]) => [path, targets(path, text)]));
}

/**
 * The same graph between folders, of which those beneath `depth` count as the one that holds them (`server/api` →
 * `server/storage` for 2). A file that lies in a room itself stands for itself. Tests import what they like.
 */
export function folderGraph(graph: Graph, depth = Infinity): Map<string, string[]> {
  const folders = new Map<string, Set<string>>();
  const folderOf = (path: string): string | null => {
    const folder = dirname(path);
    if (folder === '.' || folder.startsWith('test')) return null;
    return folder.includes('/') ? folder.split('/').slice(0, depth).join('/') : path;
  };
  for (const [path, targets] of graph) {
    const folder = folderOf(path);
    if (folder === null) continue;
    const known = folders.get(folder) ?? new Set();
    for (const target of targets.map(folderOf)) if (target !== null && target !== folder) known.add(target);
    folders.set(folder, known);
  }
  return new Map([...folders].map(([folder, targets]) => [folder, [...targets]]));
}

/** Every depth at which folders lie: two folders may be a circle only as seen from above, or only as seen from within. */
export function depthsOf(graph: Graph): number[] {
  const deepest = Math.max(2, ...[...graph.keys()].map((path) => path.split('/').length - 1));
  return Array.from({ length: deepest - 1 }, (_, index) => index + 2);
}

/** One path around each cycle that a depth-first walk meets. */
export function findCycles(graph: Graph): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): void => {
    const start = path.indexOf(node);
    if (start >= 0) cycles.push([...path.slice(start), node]);
    if (start >= 0 || done.has(node)) return;
    for (const target of graph.get(node) ?? []) walk(target, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) walk(node, []);
  return cycles;
}
