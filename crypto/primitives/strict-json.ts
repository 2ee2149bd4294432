import { CryptoError } from './errors.ts';

/** Deepest nesting of objects and arrays; the outermost counts as 1 (SPEC.md §1.4). */
export const maximumJsonDepth = 16;

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Reads JSON that has one meaning only (SPEC.md §1.4): no key twice in an object, no `__proto__`, no nesting beyond 16
 * (M24). For messages whose bytes are not signed; what is signed is canonical besides.
 *
 * @throws {CryptoError} `malformed`.
 */
export function parseStrictJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CryptoError('malformed');
  }
  // What JSON.parse has taken is well formed, so a plain walk over the text finds its keys.
  if (!hasStrictKeys(text)) throw new CryptoError('malformed');
  return value;
}

function hasStrictKeys(text: string): boolean {
  /** Keys of each open object; null for an array. */
  const open: (Set<string> | null)[] = [];
  let keys: Set<string> | null = null;
  let isKeyNext = false;
  let index = 0;
  while (index < text.length) {
    switch (text.charCodeAt(index)) {
      case quote: {
        const end = endOfString(text, index);
        if (keys !== null && isKeyNext) {
          const key = readKey(text, index, end);
          if (key === '__proto__' || keys.has(key)) return false;
          keys.add(key);
          isKeyNext = false;
        }
        index = end;
        continue;
      }
      case comma:
        isKeyNext = true;
        break;
      case openBrace:
      case openBracket:
        if (open.length === maximumJsonDepth) return false;
        keys = text.charCodeAt(index) === openBrace ? new Set() : null;
        open.push(keys);
        isKeyNext = true;
        break;
      case closeBrace:
      case closeBracket:
        open.pop();
        keys = open.at(-1) ?? null;
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
  return backslashes % 2 === 1;
}

function readKey(text: string, start: number, end: number): string {
  const key = text.slice(start + 1, end - 1);
  return key.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : key;
}
