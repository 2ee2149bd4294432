import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { recheckDocument } from '../../audit/document/recheck-document.ts';
import { checkCodes } from '../../crypto/evidence/policy/evidence-step.ts';
import { detailValues } from '../../crypto/evidence/policy/step-details.ts';
import { encodeVerificationDocument, parseVerificationDocument } from '../../crypto/evidence/verification-document.ts';
import { aeadReady } from '../../crypto/primitives/aead.ts';
import { fromHex } from '../../crypto/protocol/bytes/bytes.ts';
import { readProtection, writeProtection } from '../../crypto/protocol/contents/protection-sentence.ts';
import { decodeItemContent } from '../../crypto/vault/item-content.ts';
import { developmentPolicy } from '../parts/evidence/development-policy.ts';
import { makeDocumentVectors } from '../vectors/making/document-vectors.ts';
import current from '../vectors/sotto-v1-coded-document.json' with { type: 'json' };
import worded from '../vectors/sotto-v1-document-3.json' with { type: 'json' };
import earlier from '../vectors/sotto-v1-worded-document.json' with { type: 'json' };
import former from '../vectors/sotto-v1-document.json' with { type: 'json' };

beforeAll(aeadReady);

test('sotto-v1-coded-document.json is what the writers make', async () => {
  expect(JSON.parse(JSON.stringify(await makeDocumentVectors()))).toEqual(current);
});

describe.each([
  ['sotto-v1-document.json', former, false],
  ['sotto-v1-document-3.json', worded, true],
  ['sotto-v1-coded-document.json', current, true],
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

describe('documents of format 1, in the words of the builds that wrote them', () => {
  test.each(earlier.documents)('$name: holds or not as then, with every step the same', async ({ text, holds }) => {
    const document = parseVerificationDocument(text);
    expect(encodeVerificationDocument(document)).toBe(text);
    const { enclaves, ...recheck } = await recheckDocument(document, document.policy);
    expect(recheck).toEqual({ holds, isSamePolicy: true, isSameDigest: true });
    expect(enclaves.map(({ differences }) => differences)).toEqual([[]]);
  });

  test.each(earlier.documents)('$name: one word changed is another result', async ({ text }) => {
    const document = parseVerificationDocument(text);
    if (document.format !== 'sotto-verification-1') throw new Error('Another format.');
    const [enclave] = document.enclaves;
    const { steps } = enclave!.result;
    for (const change of [
      { sentence: 'All is well.' },
      { steps: steps.with(-1, { ...steps.at(-1)!, detail: 'All is well.' }) },
      { steps: steps.with(3, { ...steps.at(3)!, name: 'Another check' }) },
    ]) {
      const changed = { ...document, enclaves: [{ ...enclave!, result: { ...enclave!.result, ...change } }] };
      const recheck = await recheckDocument(changed, document.policy);
      expect(recheck.enclaves[0]?.differences).toEqual(Object.keys(change));
      expect(recheck.holds).toBe(false);
    }
  });
});

test.each(current.refusedDocuments)('document refused: $name', ({ text, result }) => {
  expect(() => parseVerificationDocument(text)).toThrow(result);
});

test.each(current.protections)('protection sentence: $sentence', ({ sentence, claim }) => {
  const read = readProtection(sentence);
  expect(read).toEqual(claim);
  expect(read === null ? null : writeProtection(read)).toBe(claim === null ? null : sentence);
});

test('SPEC.md §9.11: names each check and each detail, with its values', () => {
  const specification = readFileSync('crypto/SPEC.md', 'utf8');
  const section = specification.slice(specification.indexOf('\n### §9.11'), specification.indexOf('\n## §10 '));
  const [checks = '', details = ''] = section.split('\n| detail |');
  const codes = [...checks.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code);
  expect(codes).toEqual([...checkCodes]);
  const rows = [...details.matchAll(/^\| `([a-z0-9-]+)` \| ([^|]*) \|/gm)].map(([, code = '', cell = '']) => [
    code,
    [...cell.matchAll(/`([A-Za-z]+)`/g)].map(([, name = '']) => name).toSorted(),
  ]);
  expect(rows).toEqual(
    Object.entries(detailValues).map(([code, { entries }]) => [code, Object.keys(entries).toSorted()]),
  );
});
