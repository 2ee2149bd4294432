import { basename, dirname } from 'node:path/posix';
import { importRules, roomsWithoutCircles } from './house-rules.ts';
import { type FileShape, type Import, readFileShape } from './read-imports.ts';
import type { SourceFiles } from './source-files.ts';

const longestFile = 300;
const vagueNames = new Set(['index', 'utils', 'helpers', 'common', 'types']);
/** Of records that cross the wire only the files of crypto/ that define them know where a field lies. */
const fieldByOffset =
  /(?<!\.)\b(record|header)\.(subarray|slice|readUInt\d+[BL]E|getUint\d+)\([1-9]|\brecord\[\d|readUint(32|64)\((record|header), \d/;
const definesRecords = /^(crypto|test\/(crypto|reader|vectors|layers|parts\/(crypto|evidence)))\//;
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d|worker))*\.tsx?$/;

/** Holds a tree of files against the house rules. Each finding reads `path: what is wrong`. */
export function findViolations(files: SourceFiles): string[] {
  const findings: string[] = [];
  const graph = new Map<string, string[]>();
  const strictGraph = new Map<string, string[]>();
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
    graph.set(path, pathsOf(runtimeImports));
    const isStrict = roomsWithoutCircles.has(path.split('/')[0] ?? '');
    strictGraph.set(path, isStrict ? pathsOf(shape.imports) : []);
  }
  for (const cycle of findCycles(graph)) {
    findings.push(`${cycle[0]}: imports itself through ${cycle.slice(1).join(', ')}`);
  }
  const folderCycles = [
    ...findCycles(foldersOf(graph, 2)),
    ...depthsOf(strictGraph).flatMap((depth) => findCycles(foldersOf(strictGraph, depth))),
  ];
  for (const cycle of folderCycles) {
    findings.push(`${cycle[0]}/: this folder imports itself through ${cycle.slice(1).join(', ')}`);
  }
  return [...new Set(findings)];
}

function pathsOf(imports: readonly Import[]): string[] {
  return imports.flatMap((imported) => imported.path ?? []);
}

function checkFile(path: string, text: string, shape: FileShape): string[] {
  const name = basename(path);
  const lines = text.trimEnd().split('\n').length;
  const findings: string[] = [];
  if (vagueNames.has(name.split('.')[0] ?? '')) findings.push('a name that says nothing');
  if (!kebabCase.test(name)) findings.push('names are kebab-case');
  if (lines > longestFile) findings.push(`${lines} lines: past ${longestFile} it is two files`);
  if (!definesRecords.test(path) && fieldByOffset.test(text)) {
    findings.push('a field of a record is read by its offset');
  }
  if (shape.hasDefaultExport && !name.endsWith('.config.ts')) findings.push('no default exports');
  return findings;
}

/** Every depth at which folders lie: two folders may be a circle only as seen from above, or only as seen from within. */
function depthsOf(graph: ReadonlyMap<string, unknown>): number[] {
  return [...new Set([...graph.keys()].map((path) => path.split('/').length - 1))].filter((depth) => depth > 1);
}

/**
 * The same graph between the folders of a room, of which those beneath `depth` count as the one that holds them
 * (`server/api` → `server/storage` for 2). Tests import what they like.
 */
function foldersOf(graph: ReadonlyMap<string, readonly string[]>, depth: number): Map<string, string[]> {
  const folders = new Map<string, Set<string>>();
  const folderOf = (path: string): string => {
    const folder = dirname(path);
    return folder.includes('/') ? folder.split('/').slice(0, depth).join('/') : '';
  };
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
