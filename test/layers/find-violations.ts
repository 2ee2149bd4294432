import { basename, dirname } from 'node:path/posix';
import { importRules } from './house-rules.ts';
import { readFileShape, type FileShape } from './read-imports.ts';
import type { SourceFiles } from './source-files.ts';

const longestFile = 300;
const vagueNames = new Set(['index', 'utils', 'helpers', 'common', 'types']);
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d|worker))*\.tsx?$/;

/** Holds a tree of files against the house rules. Each finding reads `path: what is wrong`. */
export function findViolations(files: SourceFiles): string[] {
  const findings: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [path, text] of files) {
    const shape = readFileShape(path, text);
    const add = (finding: string): void => void findings.push(`${path}: ${finding}`);
    checkFile(path, text, shape).forEach(add);
    for (const imported of shape.imports) {
      for (const rule of importRules) {
        const problem = rule(path, imported);
        if (problem !== null) add(`${problem} (${imported.specifier})`);
      }
    }
    const runtimeImports = shape.imports.filter(({ isTypeOnly }) => !isTypeOnly);
    graph.set(
      path,
      runtimeImports.flatMap((imported) => imported.path ?? []),
    );
  }
  for (const cycle of findCycles(graph)) {
    findings.push(`${cycle[0]}: imports itself through ${cycle.slice(1).join(', ')}`);
  }
  for (const cycle of findCycles(foldersOf(graph))) {
    findings.push(`${cycle[0]}/: this folder imports itself through ${cycle.slice(1).join(', ')}`);
  }
  return findings;
}

function checkFile(path: string, text: string, shape: FileShape): string[] {
  const name = basename(path);
  const lines = text.trimEnd().split('\n').length;
  const findings: string[] = [];
  if (vagueNames.has(name.split('.')[0] ?? '')) findings.push('a name that says nothing');
  if (!kebabCase.test(name)) findings.push('names are kebab-case');
  if (lines > longestFile) findings.push(`${lines} lines: past ${longestFile} it is two files`);
  if (shape.hasDefaultExport && !name.endsWith('.config.ts')) findings.push('no default exports');
  return findings;
}

/** The same graph between the folders of a room (`server/http` → `server/storage`). Tests import what they like. */
function foldersOf(graph: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const folders = new Map<string, Set<string>>();
  const folderOf = (path: string): string => (dirname(path).includes('/') ? path.split('/').slice(0, 2).join('/') : '');
  for (const [path, targets] of graph) {
    const folder = folderOf(path);
    if (folder === '' || folder.startsWith('test/')) continue;
    const known = folders.get(folder) ?? new Set();
    for (const target of targets.map(folderOf)) if (target !== '' && target !== folder) known.add(target);
    folders.set(folder, known);
  }
  return new Map([...folders].map(([folder, targets]) => [folder, [...targets]]));
}

/** One path around each cycle that a depth-first walk meets. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
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
