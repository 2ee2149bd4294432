import { decodeUtf8 } from '../bytes/bytes.ts';
import { CryptoError } from '../bytes/errors.ts';
import { type JsonBudget, maximumJsonDepth } from './json-budget.ts';

/** Characters of a number or of `true`, `false`, `null`: a double takes 24. */
const maximumWordLength = 32;
/** White space around values, of the whole text: a person's indentation, and no padding of megabytes. */
const maximumBlanks = 262_144;
/** Bytes of one character as it may be escaped; in UTF-8 it takes fewer. */
const escapedLength = 6;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** The grammar lets this come next. */
type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end';
/** The scanner stands in the middle of this. */
type Inside = 'nothing' | 'key' | 'text' | 'word';

/**
 * Walks over JSON as its bytes arrive and refuses what has two meanings or is beyond its budget, without building anything
 * (SPEC.md §1.4). `JSON.parse` reads all that it lets pass: words and escapes are looked at there.
 */
export class JsonScanner {
  readonly #budget: JsonBudget;
  readonly #depth: number;
  readonly #key: Uint8Array;
  /** Keys of each open object; null for an array. */
  readonly #open: (Set<string> | null)[] = [];
  #expected: Expected = 'value';
  #inside: Inside = 'nothing';
  /** The length of the key, text or word that it stands in. */
  #length = 0;
  #isEscaped = false;
  #hasEscapes = false;
  #values = 0;
  #blanks = 0;
  /** The next backslash of this piece, found once: looking for it before each text would take the square of the time. */
  #nextBackslash = -1;

  constructor(budget: JsonBudget) {
    this.#budget = budget;
    this.#depth = Math.min(budget.depth, maximumJsonDepth);
    this.#key = new Uint8Array(budget.keyLength * escapedLength);
  }

  /** Takes the next bytes of the text. @throws {CryptoError} `malformed`. */
  push(bytes: Uint8Array): void {
    this.#nextBackslash = -1;
    let index = 0;
    while (index < bytes.length) {
      switch (this.#inside) {
        case 'text':
          index = this.#walkText(bytes, index);
          break;
        case 'key':
          index = this.#walkKey(bytes, index);
          break;
        default:
          this.#step(bytes[index] ?? 0);
          index++;
      }
    }
  }

  /** Says that nothing more comes. @throws {CryptoError} `malformed` for a text that is not whole. */
  end(): void {
    const isWhole = this.#inside === 'nothing' || this.#inside === 'word';
    if (!isWhole || this.#open.length > 0 || this.#expected !== 'comma-or-end') refuse();
  }

  #step(byte: number): void {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.#inside = 'nothing';
      this.#blanks += 1;
      if (this.#blanks > maximumBlanks) refuse();
      return;
    }
    switch (byte) {
      case quote:
        this.#inside = this.#beginString();
        break;
      case comma:
        this.#require('comma-or-end');
        if (this.#open.length === 0) refuse();
        this.#expected = this.#open.at(-1) === null ? 'value' : 'key';
        this.#inside = 'nothing';
        break;
      case colon:
        this.#require('colon');
        this.#expected = 'value';
        break;
      case openBrace:
      case openBracket:
        this.#beginValue();
        if (this.#open.length === this.#depth) refuse();
        this.#open.push(byte === openBrace ? new Set() : null);
        this.#expected = byte === openBrace ? 'key-or-end' : 'value-or-end';
        break;
      case closeBrace:
      case closeBracket:
        this.#close(byte === closeBracket);
        break;
      default:
        this.#word();
    }
  }

  #require(expected: Expected): void {
    if (this.#expected !== expected) refuse();
  }

  #beginValue(): void {
    if (this.#inside === 'word') refuse();
    if (this.#expected !== 'value' && this.#expected !== 'value-or-end') refuse();
    this.#values += 1;
    if (this.#values > this.#budget.values) refuse();
    this.#expected = 'comma-or-end';
  }

  #beginString(): Inside {
    this.#length = 0;
    this.#hasEscapes = false;
    if (this.#expected === 'key' || this.#expected === 'key-or-end') return 'key';
    this.#beginValue();
    return 'text';
  }

  #close(isArray: boolean): void {
    const emptyEnd = isArray ? 'value-or-end' : 'key-or-end';
    if (this.#expected !== 'comma-or-end' && this.#expected !== emptyEnd) refuse();
    const closed = this.#open.pop();
    if (closed === undefined || (closed === null) !== isArray) refuse();
    this.#expected = 'comma-or-end';
    this.#inside = 'nothing';
  }

  /** A number or a literal goes on or begins. */
  #word(): void {
    if (this.#inside !== 'word') {
      this.#beginValue();
      this.#inside = 'word';
      this.#length = 0;
    }
    this.#length += 1;
    if (this.#length > maximumWordLength) refuse();
  }

  /** @returns the place behind what belongs to the text. */
  #walkText(bytes: Uint8Array, start: number): number {
    const found = this.#isEscaped ? start : bytes.indexOf(quote, start);
    // Bodies of megabytes are one text, so the search is the engine's own.
    let end = found === -1 ? bytes.length : found;
    if (this.#isEscaped || this.#backslashFrom(bytes, start) < end) end = this.#walkEscapes(bytes, start);
    this.#length += Math.min(end, bytes.length) - start;
    if (this.#length > this.#budget.textLength * escapedLength) refuse();
    if (end >= bytes.length) return bytes.length;
    this.#inside = 'nothing';
    return end + 1;
  }

  /** @returns the place of the closing quote, or the end. */
  #walkEscapes(bytes: Uint8Array, start: number): number {
    let index = start;
    if (this.#isEscaped) {
      this.#isEscaped = false;
      index++;
    }
    while (index < bytes.length) {
      const byte = bytes[index];
      if (byte === quote) return index;
      index += byte === backslash ? 2 : 1;
    }
    this.#isEscaped = index > bytes.length;
    return bytes.length;
  }

  #backslashFrom(bytes: Uint8Array, start: number): number {
    if (this.#nextBackslash < start) {
      const found = bytes.indexOf(backslash, start);
      this.#nextBackslash = found === -1 ? bytes.length : found;
    }
    return this.#nextBackslash;
  }

  #walkKey(bytes: Uint8Array, start: number): number {
    for (let index = start; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      if (byte === quote && !this.#isEscaped) {
        this.#endKey();
        return index + 1;
      }
      if (this.#length === this.#key.length) refuse();
      this.#key[this.#length++] = byte;
      this.#isEscaped = byte === backslash && !this.#isEscaped;
      if (byte === backslash) this.#hasEscapes = true;
    }
    return bytes.length;
  }

  #endKey(): void {
    const written = decodeUtf8(this.#key.subarray(0, this.#length));
    const key = this.#hasEscapes ? readEscapes(written) : written;
    const keys = this.#open.at(-1);
    const isRefused = key === '__proto__' || key.length > this.#budget.keyLength || keys?.has(key) !== false;
    if (isRefused) refuse();
    keys.add(key);
    this.#inside = 'nothing';
    this.#expected = 'colon';
  }
}

function readEscapes(written: string): string {
  try {
    return JSON.parse(`"${written}"`) as string;
  } catch {
    refuse();
  }
}

function refuse(): never {
  throw new CryptoError('malformed');
}
