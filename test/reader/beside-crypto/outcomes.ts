import { randomBytes, randomInt } from 'node:crypto';
import type { Bytes as ProductionBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../crypto/protocol/bytes/errors.ts';
import { Secret } from '../../../crypto/protocol/bytes/secret.ts';
import { tamperings } from '../../parts/crypto/tampering.ts';
import type { Bytes } from '../protocol/conventions.ts';
import { Refusal } from '../protocol/refusal.ts';
import { toHex } from '../vectors/vectors.ts';

export const random = (length: number): ProductionBytes => new Uint8Array(randomBytes(length));
export const secret = <Name extends string>(name: Name, bytes: Bytes): Secret<Name> =>
  new Secret(name, new Uint8Array(bytes));
export const randomText = (longest: number): string =>
  Array.from({ length: randomInt(longest) }, () => 'aé €😀"\\\n\u2028\ufeff'[randomInt(11)])
    .join('')
    .toWellFormed();

/** A value in a form that two readers can be compared in: bytes as hex, keys sorted, secrets shown. */
export function shown(value: unknown): unknown {
  if (value instanceof Secret) return toHex(value.expose());
  if (value instanceof Uint8Array) return toHex(value);
  if (value instanceof Map) return shown([...value]);
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, member]): [string, unknown] => [key, shown(member)]);
  return Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Gives what a reader makes of its input: the value, or the code. */
function outcomeOf(read: () => unknown): string {
  try {
    return JSON.stringify(shown(read())) ?? 'nothing';
  } catch (error) {
    if (error instanceof Refusal || error instanceof CryptoError) return `refused: ${error.code}`;
    throw error;
  }
}

export type Readers = { mine: (bytes: Bytes) => unknown; production: (bytes: Bytes) => unknown };

/** Names of the inputs on which the readers say different things; `[]` is what a test expects. */
export function differences(inputs: Iterable<{ name: string; bytes: Bytes }>, { mine, production }: Readers): string[] {
  return [...inputs].flatMap(({ name, bytes }) => {
    const [ours, theirs] = [outcomeOf(() => mine(bytes)), outcomeOf(() => production(bytes))];
    return ours === theirs ? [] : [`${name}: reader ${ours.slice(0, 200)}, production ${theirs.slice(0, 200)}`];
  });
}

/** The bytes themselves, which both must accept, every tampering, and headers that name other epochs and versions. */
export function* variants(bytes: Bytes): Generator<{ name: string; bytes: Bytes }> {
  yield { name: 'as written', bytes };
  yield* tamperings(bytes);
  for (const [place, value] of [
    [0, 0],
    [1, 255],
    [5, 0],
    [5, 2],
  ] as const) {
    yield { name: `byte ${place} = ${value}`, bytes: bytes.with(place, value) };
    yield { name: `byte ${place} = ${value}, and cut`, bytes: bytes.with(place, value).slice(0, -1) };
  }
  for (let length = 2; length < 8; length++) yield { name: `cut to ${length}`, bytes: bytes.slice(0, length) };
  for (const length of [79, 85, 86, 87]) yield { name: `cut to ${length}`, bytes: bytes.slice(0, length) };
}

export const isAccepted = (read: () => unknown): boolean => !outcomeOf(read).startsWith('refused');

/** JSON.stringify writes ASCII members in the order of their keys then. */
export function sortedMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedMembers);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sortedMembers(member)]));
}

export const plain = (bytes: Bytes): ProductionBytes => new Uint8Array(bytes);
