import { StartError } from '../start-error.ts';

const longestFile = 262_144;
const assignment = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)$/;
/** Quoted, with nothing behind it but a comment. */
const literal = /^'([^'\n]*)'[ \t]*(?:#.*)?$/;
const quoted = /^"([^"\\$\n]*)"[ \t]*(?:#.*)?$/;

/**
 * Reads the text of an `.env` as Docker Compose does, which reads the same file. A line of which Compose makes something else
 * than it says is refused, not guessed: `$` begins a name of another value there, and versions differ about `#`. In single
 * quotes each value means itself.
 *
 * @returns values by their names, in the order of the file.
 * @throws {StartError} that names the line, and nothing of its value.
 */
export function parseEnvironmentFile(text: string): ReadonlyMap<string, string> {
  if (text.length > longestFile) throw new StartError('The file .env is longer than any that holds settings.');
  const values = new Map<string, string>();
  const lines = text.replace(/^\u{FEFF}/u, '').split('\n');
  for (const [index, withEnd] of lines.entries()) {
    const line = withEnd.replace(/\r$/, '');
    if (/^\s*(#|$)/.test(line)) continue;
    const refuse = (what: string) => new StartError(`Line ${index + 1} of the file .env ${what}`);
    const [, name, rest = ''] = assignment.exec(line) ?? [];
    if (name === undefined) throw refuse('is no setting: write NAME=value.');
    if (values.has(name)) throw refuse(`sets ${name} again: drop one of the two lines.`);
    const value = valueOf(rest);
    if (value === null) throw refuse(`could be read in two ways: write ${name}='…', in single quotes.`);
    values.set(name, value);
  }
  return values;
}

/** @returns null for what is not the same to everybody. */
function valueOf(rest: string): string | null {
  // oxlint-disable-next-line no-control-regex -- those are what it looks for
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(rest)) return null;
  const [, own] = literal.exec(rest) ?? quoted.exec(rest) ?? [];
  // A backslash before the last quote would be one more letter of the value.
  if (own !== undefined) return own.endsWith('\\') ? null : own;
  const bare = rest.replace(/[ \t]+#.*$/, '').replace(/[ \t]+$/, '');
  const isPlain = !/[$#]/.test(bare) && !/^["'`]/.test(bare) && !/[^\S \t]/.test(bare);
  return isPlain ? bare : null;
}
