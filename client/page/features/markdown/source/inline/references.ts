import { createContext } from 'react';
import type { Block } from '../blocks/block-reader.ts';
import { labelKey, linkDefinition, noteName } from '../blocks/line-kinds.ts';

export type Note = { readonly key: string; readonly number: number; readonly source: string };

/** The pieces of one reply share these across their borders. */
export type References = {
  /** Lines that define links, by their names. */
  readonly definitions: ReadonlyMap<string, string>;
  /** Which of them the text names: all others are words like any. */
  readonly named: ReadonlySet<string>;
  /** Footnotes in the order in which they are shown. */
  readonly notes: ReadonlyMap<string, Note>;
};

export const noReferences: References = { definitions: new Map(), named: new Set(), notes: new Map() };
/** Stands for a note's own words where a piece only has to know that there is one. */
export const noteWord = '\ue1ff';
const mostDefinitions = 2000;
const mostNamed = 60;

/** Ids of notes begin with it: no two replies share one. */
export const NoteIdContext = createContext('');
export const NotesContext = createContext<ReadonlyMap<string, Note>>(noReferences.notes);

const names = new WeakMap<Block, readonly string[]>();

/** The names in square brackets of a piece; read once for each piece. */
function namesIn(block: Block): readonly string[] {
  const known = names.get(block);
  if (known !== undefined) return known;
  const found = block.source.includes('[')
    ? [...block.source.matchAll(/\[([^[\]\n]{1,200})\]/g)].map((match) => labelKey(match[1] ?? ''))
    : [];
  const distinct = [...new Set(found)];
  names.set(block, distinct);
  return distinct;
}

export function readReferences(blocks: readonly Block[]): References {
  const defining = blocks.filter(({ kind }) => kind === 'definitions' || kind === 'note');
  if (defining.length === 0) return noReferences;
  const definitions = new Map<string, string>();
  const sources = new Map<string, string>();
  for (const { kind, source } of defining) {
    if (kind === 'note') {
      const key = noteName(source);
      if (key !== null && !sources.has(key) && sources.size < mostDefinitions) sources.set(key, noteSource(source));
      continue;
    }
    for (const line of source.split('\n')) {
      const key = linkDefinition(line);
      if (key === null || definitions.has(key) || definitions.size >= mostDefinitions) continue;
      definitions.set(key, line.trim());
    }
  }
  const names = definitions.size === 0 ? [] : blocks.filter(namesLinks).flatMap((block) => namesIn(block));
  const named = new Set(names.filter((name) => definitions.has(name)));
  return { definitions, named, notes: numberNotes(blocks, sources) };
}

function namesLinks({ kind }: Block): boolean {
  return kind !== 'definitions' && kind !== 'code' && kind !== 'tex';
}

/** The lines of a piece of definitions that define nothing, such as `[Date]: today` or a list of sources; as Markdown that shows them. */
export function unnamedLines({ source }: Block, { named }: References): string {
  return source
    .split('\n')
    .filter((line) => line.trim() !== '' && !named.has(linkDefinition(line) ?? ''))
    .map((line) => line.replace('[', '\\['))
    .join('\n');
}

/** Notes are numbered as the text refers to them; those that it never names come last. */
function numberNotes(blocks: readonly Block[], sources: ReadonlyMap<string, string>): ReadonlyMap<string, Note> {
  if (sources.size === 0) return noReferences.notes;
  const named = blocks
    .filter(({ kind }) => kind !== 'note' && kind !== 'code')
    .flatMap((block) => namesIn(block))
    .filter((name) => name.startsWith('^'))
    .map((name) => name.slice(1));
  const order = [...new Set([...named, ...sources.keys()])].filter((key) => sources.has(key));
  return new Map(order.map((key, index) => [key, { key, number: index + 1, source: sources.get(key) ?? '' }]));
}

/** A note without its name and without the indent of its later lines. */
function noteSource(source: string): string {
  return source.replace(/^ {0,3}\[\^[^\]\s]+\]:[ \t]*/, '').replaceAll(/^(?: {4}|\t| {1,3})/gm, '');
}

/** The lines that a piece needs to be read alone: the definitions that it names, and a word for each note. */
export function definitionsFor(block: Block, references: References): string {
  if (references === noReferences) return '';
  const lines: string[] = [];
  for (const name of namesIn(block)) {
    if (lines.length >= mostNamed) break;
    const definition = references.definitions.get(name);
    if (definition !== undefined) lines.push(definition);
    else if (name.startsWith('^') && references.notes.has(name.slice(1))) lines.push(`[${name}]: ${noteWord}`);
  }
  return lines.join('\n\n');
}

/** The same object as before while nothing was defined or numbered anew. */
export function keepReferences(before: References, now: References): References {
  const isSame =
    sameEntries(before.definitions, now.definitions, (a, b) => a === b) &&
    before.named.size === now.named.size &&
    [...now.named].every((name) => before.named.has(name)) &&
    sameEntries(before.notes, now.notes, (a, b) => a.number === b.number && a.source === b.source);
  return isSame ? before : now;
}

function sameEntries<T>(
  a: ReadonlyMap<string, T>,
  b: ReadonlyMap<string, T>,
  isSame: (one: T, other: T) => boolean,
): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !isSame(value, other)) return false;
  }
  return true;
}
