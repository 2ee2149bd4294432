import { expect, test } from 'vitest';
import frozen from '../../vectors/sotto-v1-note.json' with { type: 'json' };
import { readItemContent, writeItemContent } from '../vault/item-content.ts';
import { codeOf, fromHex, toHex } from './vectors.ts';

test.each(frozen.contents)('a note of $json.codes and $json.leftOut', ({ json: { type, ...members }, content }) => {
  expect(toHex(writeItemContent(type, members))).toBe(content);
  expect(readItemContent(fromHex(content))).toEqual({ type, members });
  expect(codeOf(() => readItemContent(fromHex(content).slice(0, -1)))).toBe('malformed');
});

test.each(frozen.refusedContents)('a note with $name', ({ content }) => {
  expect(codeOf(() => readItemContent(fromHex(content)))).toBe('malformed');
});
