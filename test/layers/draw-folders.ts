import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileGraph, folderGraph, type Graph } from './folder-graph.ts';
import { projectRoot, readSourceFiles, type SourceFiles } from './source-files.ts';

/** `node test/layers/draw-folders.ts` writes the drawing of docs/ARCHITECTURE.md anew. */
export const architecturePath = join(projectRoot, 'docs', 'ARCHITECTURE.md');

const begin = '<!-- drawing: test/layers/draw-folders.ts writes this -->';
const end = '<!-- end of the drawing -->';
const title = '# Architecture';

/**
 * One block a room: each line a folder, or a file of the room itself, and what of its room it imports. Each line imports
 * lines below it alone. What it imports of other rooms stands behind the bar.
 */
export function drawFolders(files: SourceFiles): string {
  const graph = folderGraph(fileGraph(files));
  const rooms = inOrder(roomGraph(graph));
  return rooms.map((room) => drawRoom(room, graph)).join('\n\n');
}

/** Puts the drawing between its marks; a document without marks gets them at its end. */
export function withDrawing(document: string, drawing: string): string {
  const section = `${begin}\n\n\`\`\`text\n${drawing}\n\`\`\`\n\n${end}`;
  const [start, stop] = [document.indexOf(begin), document.indexOf(end)];
  if (start >= 0 && stop > start) return document.slice(0, start) + section + document.slice(stop + end.length);
  return `${document.trimEnd()}\n\n## Drawing\n\n${section}\n`;
}

function drawRoom(room: string, graph: Graph): string {
  const own = new Map([...graph].filter(([node]) => roomOf(node) === room));
  const inside = new Map([...own].map(([node, targets]) => [node, targets.filter((target) => own.has(target))]));
  const names = inOrder(inside);
  const width = Math.max(...names.map((node) => shortName(node).length));
  const lines = names.map((node) => {
    const targets = names.filter((name) => inside.get(node)?.includes(name)).map(shortName);
    const others = new Set((own.get(node) ?? []).filter((target) => roomOf(target) !== room).map(secondFloor));
    const inRoom = targets.length === 0 ? '' : ` → ${targets.join(' ')}`;
    const beyond = others.size === 0 ? '' : ` | ${[...others].toSorted().join(' ')}`;
    return `  ${shortName(node).padEnd(width)}${inRoom}${beyond}`.trimEnd();
  });
  return [`${room}/`, ...lines].join('\n');
}

/** Each before what it imports, and by name where nothing says otherwise. A circle is cut where it was entered. */
function inOrder(graph: Graph): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = (node: string): void => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const target of (graph.get(node) ?? []).toSorted().toReversed()) visit(target);
    found.unshift(node);
  };
  for (const node of [...graph.keys()].toSorted().toReversed()) visit(node);
  return found;
}

function roomGraph(graph: Graph): Graph {
  const rooms = new Map<string, string[]>();
  for (const [node, targets] of graph) {
    const known = rooms.get(roomOf(node)) ?? [];
    rooms.set(roomOf(node), [...known, ...targets.map(roomOf)]);
  }
  return rooms;
}

function roomOf(node: string): string {
  return node.split('/')[0] ?? '';
}

function secondFloor(node: string): string {
  return node.split('/').slice(0, 2).join('/');
}

function shortName(node: string): string {
  return node.slice(node.indexOf('/') + 1);
}

if (import.meta.main) {
  const document = existsSync(architecturePath) ? readFileSync(architecturePath, 'utf8') : `${title}\n`;
  writeFileSync(architecturePath, withDrawing(document, drawFolders(readSourceFiles())));
}
