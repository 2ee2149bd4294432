import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../crypto/protocol/bytes/bytes.ts';
import { decodeItemContent, encodeItemContent } from '../../crypto/vault/item-content.ts';
import { refusalOf } from '../parts/crypto/refusal.ts';
import frozen from '../vectors/sotto-v1-preference.json' with { type: 'json' };
import { makePreferenceVectors } from '../vectors/making/preference-vectors.ts';

describe('sotto-v1-preference.json', () => {
  test('is what the writer makes', () => {
    expect(makePreferenceVectors()).toEqual(frozen);
  });

  test.each(frozen.contents)('preference $json.name: both ways', ({ json, content }) => {
    const read = decodeItemContent(fromHex(content));
    expect(read).toEqual(json);
    if (read === null) throw new Error('It was not read.');
    expect(toHex(encodeItemContent(read))).toBe(content);
  });

  test.each(frozen.refusedContents)('preference: refuses $name', ({ content }) => {
    expect(refusalOf(() => decodeItemContent(fromHex(content)))).toBe('malformed');
  });
});
