import { beforeAll, expect, test } from 'vitest';
import { aeadReady } from '../../crypto/primitives/aead.ts';
import { fromHex } from '../../crypto/protocol/bytes/bytes.ts';
import { decodeItemContent, encodeItemContent, sealedContentLength } from '../../crypto/vault/item-content.ts';
import type { ItemContent } from '../../crypto/protocol/contents/item-contents.ts';
import { refusalOf } from '../parts/crypto/refusal.ts';
import { makeNoteVectors } from '../vectors/making/note-vectors.ts';
import frozen from '../vectors/sotto-v1-note.json' with { type: 'json' };

beforeAll(aeadReady);

test('sotto-v1-note.json is what the writers make', () => {
  expect(JSON.parse(JSON.stringify(makeNoteVectors()))).toEqual(frozen);
});

test.each(frozen.contents)('a note of $json.codes and $json.leftOut reads as it was written', ({ json, content }) => {
  expect(decodeItemContent(fromHex(content))).toEqual(json);
  expect(encodeItemContent(json as ItemContent)).toEqual(fromHex(content));
  expect(() => decodeItemContent(fromHex(content).slice(0, -1))).toThrow('malformed');
});

test.each(frozen.refusedContents)('a note with $name is refused', ({ content }) => {
  expect(refusalOf(() => decodeItemContent(fromHex(content)))).toBe('malformed');
});

test('every note is sealed to one length, whatever is noted', () => {
  const lengths = frozen.contents.map(({ json }) => sealedContentLength(json as ItemContent));
  expect(new Set(lengths)).toEqual(new Set([1110]));
});
