import { beforeAll, describe, expect, test } from 'vitest';
import { parseVerificationDocument, recheckDocument } from '../../crypto/evidence/verification-document.ts';
import { aeadReady } from '../../crypto/primitives/aead.ts';
import { fromHex } from '../../crypto/protocol/bytes/bytes.ts';
import { decodeItemContent } from '../../crypto/vault/item-content.ts';
import { developmentPolicy } from '../parts/evidence/development-policy.ts';
import { makeDocumentVectors } from '../vectors/document-vectors.ts';
import current from '../vectors/sotto-v1-document-3.json' with { type: 'json' };
import former from '../vectors/sotto-v1-document.json' with { type: 'json' };

beforeAll(aeadReady);

test('sotto-v1-document-3.json is what the writers make', async () => {
  expect(JSON.parse(JSON.stringify(await makeDocumentVectors()))).toEqual(current);
});

describe.each([
  ['sotto-v1-document.json', former, false],
  ['sotto-v1-document-3.json', current, true],
])('%s', (_file, frozen, isSamePolicy) => {
  test.each(frozen.contents)('content of type $json.type reads as it was written', ({ json, content }) => {
    expect(decodeItemContent(fromHex(content))).toEqual(json);
    expect(() => decodeItemContent(fromHex(content).slice(0, -1))).toThrow('malformed');
  });

  test.each(frozen.documents)('document: $name', async ({ text, holds }) => {
    const recheck = await recheckDocument(parseVerificationDocument(text), developmentPolicy);
    expect([recheck.holds, recheck.isSamePolicy]).toEqual([holds, isSamePolicy]);
  });
});
