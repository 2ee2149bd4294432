import { basename } from 'node:path/posix';
import { depthsOf, findCycles, folderGraph } from './folder-graph.ts';
import { importRules } from './house-rules.ts';
import { type FileShape, readFileShape } from './read-imports.ts';
import type { SourceFiles } from './source-files.ts';

const longestFile = 300;
const vagueNames = new Set(['index', 'utils', 'helpers', 'common', 'types']);
/** Only the files of crypto/ that define records which cross the wire know where a field lies. */
const fieldByOffset =
  /(?<!\.)\b(record|header)\.(subarray|slice|readUInt\d+[BL]E|getUint\d+)\([1-9]|\brecord\[\d|readUint(32|64)\((record|header), \d/;
const definesRecords = /^(crypto|test\/(crypto|reader|vectors|layers|parts\/(crypto|evidence)))\//;
/** They turn checks of the compiler off, or bring it names from elsewhere. */
const directive = /^[ \t]*(\/\/\/\s*<(reference|amd)|(\/\/|\/\*)\s*@ts-)/m;
/** Rooms that are handed all of their surroundings: each says in one file what little it takes by itself. */
const bareRooms = /^(crypto|client\/vault)\//;
const namesOfSurroundings = /^(crypto|client\/vault)\/platform\.d\.ts$/;
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d|worker))*\.tsx?$/;

/** Holds a tree of files against the house rules. Each finding reads `path: what is wrong`. */
export function findViolations(files: SourceFiles): string[] {
  const findings: string[] = [];
  /** Without types, which are gone when the code runs. */
  const graph = new Map<string, string[]>();
  const whole = new Map<string, string[]>();
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
    whole.set(path, pathsOf(shape.imports));
    graph.set(path, pathsOf(shape.imports.filter(({ isTypeOnly }) => !isTypeOnly)));
  }
  for (const cycle of findCycles(graph)) {
    findings.push(`${cycle[0]}: imports itself through ${cycle.slice(1).join(', ')}`);
  }
  for (const depth of depthsOf(whole)) {
    for (const cycle of findCycles(folderGraph(whole, depth))) {
      findings.push(`${cycle[0]}: this folder imports itself through ${cycle.slice(1).join(', ')}`);
    }
  }
  return [...new Set(findings)];
}

function pathsOf(imports: FileShape['imports']): string[] {
  return imports.flatMap((imported) => imported.path ?? []);
}

function checkFile(path: string, text: string, shape: FileShape): string[] {
  const name = basename(path);
  const lines = text.trimEnd().split('\n').length;
  const findings: string[] = [];
  if (vagueNames.has(name.split('.')[0] ?? '')) findings.push('a name that says nothing');
  if (!/\.tsx?$/.test(name)) findings.push('code ends in .ts or .tsx');
  else if (!kebabCase.test(name)) findings.push('names are kebab-case');
  if (directive.test(text)) findings.push('a comment that changes what the compiler checks');
  if (!namesOfSurroundings.test(path)) {
    if (name.endsWith('.d.ts')) findings.push('only platform.d.ts declares what surrounds a room');
    else if (bareRooms.test(path) && shape.takesFromOutside) {
      findings.push('this room takes nothing from outside but what its platform.d.ts names');
    }
  }
  if (lines > longestFile) findings.push(`${lines} lines: past ${longestFile} it is two files`);
  if (!definesRecords.test(path) && fieldByOffset.test(text)) {
    findings.push('a field of a record is read by its offset');
  }
  if (shape.hasDefaultExport && !name.endsWith('.config.ts')) findings.push('no default exports');
  return findings;
}
