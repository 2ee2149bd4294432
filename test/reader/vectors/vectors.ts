import accountVectors from '../../vectors/sotto-v1.json' with { type: 'json' };
import turnVectors from '../../vectors/sotto-v1-turn.json' with { type: 'json' };
import { readFileSync } from 'node:fs';
import type { Bytes } from '../protocol/conventions.ts';
import { Refusal, type RefusalCode } from '../protocol/refusal.ts';

/** The frozen vectors of SPEC.md §13.1 and §13.2. */
export { accountVectors, turnVectors };

export const fromHex = (hex: string): Bytes => new Uint8Array(Buffer.from(hex, 'hex'));
export const toHex = (bytes: Bytes): string => Buffer.from(bytes).toString('hex');

/** The salt of a body of SPEC.md §4 to §6: a writer that is given it makes the same bytes. */
export const saltOf = (body: string): Bytes => fromHex(body).slice(6, 38);

const specification = readFileSync(new URL('../../../crypto/SPEC.md', import.meta.url), 'utf8').replaceAll(/\s/g, '');
/** True if the page itself shows these bytes, whatever the line breaks. */
export const isInSpecification = (bytes: Bytes): boolean => specification.includes(toHex(bytes));

/** The code of a refusal, or `accepted`; whatever is no refusal is a defect of the reader. */
export function codeOf(action: () => unknown): RefusalCode | 'accepted' {
  try {
    action();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return 'accepted';
}

/** The codes that a reader gives when one bit of one byte is changed, byte by byte. */
export function codesOfFlips(bytes: Bytes, read: (changed: Bytes) => unknown): (RefusalCode | 'accepted')[] {
  read(bytes);
  return Array.from(bytes, (_, place) => {
    const changed = bytes.slice();
    changed[place]! ^= 1 << (place % 8);
    return codeOf(() => read(changed));
  });
}
