import { beforeAll, describe, expect, test } from 'vitest';
import { parseVerificationDocument, recheckDocument } from '../../crypto/evidence/verification-document.ts';
import { aeadReady } from '../../crypto/primitives/aead.ts';
import { fromHex } from '../../crypto/primitives/bytes.ts';
import { decodeItemContent } from '../../crypto/vault/item-content.ts';
import { makeDocumentVectors } from '../vectors/document-vectors.ts';
import frozen from '../vectors/sotto-v1-document.json' with { type: 'json' };

beforeAll(aeadReady);

describe('sotto-v1-document.json', () => {
  test('is what the writers make', async () => {
    expect(JSON.parse(JSON.stringify(await makeDocumentVectors()))).toEqual(frozen);
  });

  test.each(frozen.contents)('content of type $json.type reads as it was written', ({ json, content }) => {
    expect(decodeItemContent(fromHex(content))).toEqual(json);
    expect(() => decodeItemContent(fromHex(content).slice(0, -1))).toThrow('malformed');
  });

  test.each(frozen.documents)('document: $name', async ({ text, holds }) => {
    const recheck = await recheckDocument(parseVerificationDocument(text), frozen.policy);
    expect([recheck.holds, recheck.isSamePolicy]).toEqual([holds, true]);
  });
});
