import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import * as v from 'valibot';

/** The relay names its cookies so; each name carries a piece of the installation's fingerprint. */
const nameField = (kind: RegExp) => v.pipe(v.string(), v.regex(kind));
const valueField = v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,512}$/));
const token = (kind: RegExp) => v.nullable(v.strictObject({ name: nameField(kind), value: valueField }));

const tokens = v.strictObject({
  format: v.literal(1),
  /** The relay that gave them; no other is shown any. */
  origin: v.pipe(v.string(), v.maxLength(2048)),
  refresh: token(/^(__Host-)?sotto-[A-Za-z0-9_-]{6}$/),
  /** Shows that this device was signed in before; a sign-out leaves it, as it does in a browser. */
  device: token(/^(__Host-)?sotto-device-[A-Za-z0-9_-]{6}$/),
});

export type KeptTokens = v.InferOutput<typeof tokens>;

export function noTokens(origin: string): KeptTokens {
  return { format: 1, origin, refresh: null, device: null };
}

/** @returns the tokens after this line of the relay's, or the same where it is none of ours. */
export function withCookie(kept: KeptTokens, setCookie: string): KeptTokens {
  const [pair = '', ...attributes] = setCookie.split(';').map((part) => part.trim());
  const place = pair.indexOf('=');
  const [name, value] = [pair.slice(0, place), pair.slice(place + 1)];
  const isOver = value === '' || attributes.some((attribute) => attribute.toLowerCase() === 'max-age=0');
  const kind = /^(__Host-)?sotto-device-/.test(name) ? 'device' : 'refresh';
  // Only the names of what is kept are let go.
  const isKnown = v.is(tokens.entries[kind], { name, value: 'x' });
  if (!isKnown) return kept;
  const next = { ...kept, [kind]: isOver ? null : { name, value } };
  return v.is(tokens, next) ? next : kept;
}

/** The file of the session's token: this user alone may read it, and it is always whole. */
export class TokenFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @returns none for a file that is not there, is damaged, or is of another relay. */
  read(origin: string): KeptTokens {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return noTokens(origin);
      throw error;
    }
    const parsed = v.safeParse(tokens, parseOrNull(text));
    return parsed.success && parsed.output.origin === origin ? parsed.output : noTokens(origin);
  }

  write(kept: KeptTokens): void {
    const next = `${this.#path}.next`;
    rmSync(next, { force: true });
    const file = openSync(next, 'wx', 0o600);
    try {
      writeSync(file, JSON.stringify(kept));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, this.#path);
  }
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
