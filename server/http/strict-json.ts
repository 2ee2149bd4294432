import { RelayError } from '../relay-error.ts';

const maximumDepth = 16;
const quote = 34;
const backslash = 92;

/**
 * Parses JSON that has one meaning only: no key twice in an object, no `__proto__`, no nesting beyond 16 (M24).
 *
 * @throws {RelayError} `bad-request`.
 */
export function parseStrictJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RelayError('bad-request');
  }
  // What JSON.parse has taken is well formed, so a plain walk over the text finds its keys.
  if (!hasStrictKeys(text)) throw new RelayError('bad-request');
  return value;
}

function hasStrictKeys(text: string): boolean {
  /** Keys of each open object; null for an array. */
  const open: (Set<string> | null)[] = [];
  let index = 0;
  while (index < text.length) {
    const character = text[index];
    if (character === '"') {
      const end = endOfString(text, index);
      const keys = open.at(-1);
      if (keys !== undefined && keys !== null && isKey(text, end)) {
        const key = JSON.parse(text.slice(index, end)) as string;
        if (key === '__proto__' || keys.has(key)) return false;
        keys.add(key);
      }
      index = end;
      continue;
    }
    if (character === '{' || character === '[') {
      if (open.length === maximumDepth) return false;
      open.push(character === '{' ? new Set() : null);
    } else if (character === '}' || character === ']') {
      open.pop();
    }
    index++;
  }
  return true;
}

/** @returns the place behind the closing quote. Bodies of megabytes are one string, so the search is the engine's own. */
function endOfString(text: string, start: number): number {
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
  } while (isEscaped(text, end));
  return end + 1;
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(index - 1 - backslashes) === backslash) backslashes++;
  return text.charCodeAt(index) === quote && backslashes % 2 === 1;
}

function isKey(text: string, end: number): boolean {
  let index = end;
  while (/\s/.test(text.charAt(index))) index++;
  return text[index] === ':';
}
