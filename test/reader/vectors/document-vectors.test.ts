import { expect, test } from 'vitest';
import current from '../../vectors/sotto-v1-coded-document.json' with { type: 'json' };
import worded from '../../vectors/sotto-v1-document-3.json' with { type: 'json' };
import earlier from '../../vectors/sotto-v1-worded-document.json' with { type: 'json' };
import former from '../../vectors/sotto-v1-document.json' with { type: 'json' };
import type { JsonObject } from '../protocol/canonical-json.ts';
import { doesDevelopmentHold, readDocument, readProtectionSentence } from '../evidence/document.ts';
import { readItemContent, writeItemContent } from '../vault/item-content.ts';
import { fromHex, toHex } from './vectors.ts';

const all = [former, worded, current];

test.each(all.flatMap<{ json: JsonObject & { type: string }; content: string }>(({ contents }) => contents))(
  'content of type $json.type',
  ({ json: { type, ...members }, content }) => {
    expect(toHex(writeItemContent(type, members))).toBe(content);
    expect(readItemContent(fromHex(content))).toEqual({ type, members });
  },
);

test.each(all.flatMap(({ documents }) => documents))('document: $name', ({ text, holds, minimum }) => {
  const document = readDocument(text);
  expect(document['minimum']).toBe(minimum);
  expect(doesDevelopmentHold(document)).toBe(holds);
  for (const changed of [
    text.slice(0, -1),
    `${text} `,
    text.replace('"minimum":"', '"minimum":"x'),
    `${text}${text}`,
  ]) {
    expect(() => readDocument(changed)).toThrow('malformed');
  }
  expect(() => readDocument(text.replace('"verifiedAtMs":1', '"verifiedAtMs":2'))).toThrow('malformed');
});

test.each(current.refusedDocuments)('document refused: $name', ({ text, result }) => {
  expect(() => readDocument(text)).toThrow(result);
});

test.each(current.protections)('protection sentence: $sentence', ({ sentence, claim }) => {
  expect(readProtectionSentence(sentence)).toEqual(claim);
});

test.each(earlier.documents)('document of format 1 in whole words: $name', ({ text }) => {
  expect(readDocument(text)['format']).toBe('sotto-verification-1');
});
