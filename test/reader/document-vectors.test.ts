import { expect, test } from 'vitest';
import current from '../vectors/sotto-v1-document-3.json' with { type: 'json' };
import former from '../vectors/sotto-v1-document.json' with { type: 'json' };
import { doesDevelopmentHold, readDocument } from './document.ts';
import { readItemContent, writeItemContent } from './item-content.ts';
import { fromHex, toHex } from './vectors.ts';

const both = [former, current];

test.each(both.flatMap(({ contents }) => contents))(
  'content of type $json.type',
  ({ json: { type, ...members }, content }) => {
    expect(toHex(writeItemContent(type, members))).toBe(content);
    expect(readItemContent(fromHex(content))).toEqual({ type, members });
  },
);

test.each(both.flatMap(({ documents }) => documents))('document: $name', ({ text, holds, minimum }) => {
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
