import { lp, sha256, type Bytes } from '../protocol/conventions.ts';
import { refuse } from '../protocol/refusal.ts';

const outerSpaces = /^\u0020+|\u0020+$/g;
const wholeForm = /^[\p{L}\p{N}][\p{L}\p{N}\p{Mn}\p{Mc}._-]*$/u;
/** Ranges of the invisible code points that SPEC.md §3.1 lists. */
const invisible: readonly (readonly [number, number])[] = [
  [0x034f, 0x034f],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180d],
  [0x180f, 0x180f],
  [0xfe00, 0xfe0f],
  [0xe0100, 0xe01ef],
];

/** A typed name in its one spelling (SPEC.md §3.1). */
export function normaliseName(typed: string): string {
  if (typed.length > 256 || !typed.isWellFormed()) refuse('invalid-user-name');
  const name = typed
    .normalize('NFKC')
    .replaceAll(outerSpaces, '')
    .toLowerCase()
    .replaceAll('\u03c2', '\u03c3')
    .normalize('NFKC');
  const points = Array.from(name, (character) => character.codePointAt(0) ?? 0);
  const isHidden = (point: number): boolean => invisible.some(([first, last]) => point >= first && point <= last);
  if (points.length < 3 || points.length > 64 || points.some((point) => isHidden(point))) refuse('invalid-user-name');
  if (!wholeForm.test(name) || /[._-]$/.test(name)) refuse('invalid-user-name');
  return name;
}

/** All that the relay gets of a name (SPEC.md §3.1). */
export const nameTag = (typed: string): Bytes => sha256(lp('sotto/v1/name', normaliseName(typed)));
