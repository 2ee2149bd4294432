import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { verifyKeyStatement } from '../../../crypto/evidence/key-statement.ts';
import { acceptedByAll, type KeyStatement } from '../../../crypto/protocol/messages/enclave-messages.ts';
import {
  maximumParts,
  type RequestContent,
  requestContent,
  usesOf,
} from '../../../crypto/protocol/contents/request-content.ts';
import { fromHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { decodeCanonicalJson, encodeCanonicalJson } from '../../../crypto/protocol/json/canonical-json.ts';
import { jsonBudgetOf } from '../../../crypto/protocol/json/json-budget.ts';
import { maximumContentLength } from '../../../crypto/protocol/bytes/size-class.ts';
import { RecordReader } from '../../../crypto/turn/reply-record.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';
import frozen from '../../vectors/sotto-v1-request-2.json' with { type: 'json' };
import { makeRequest2Vectors } from '../../vectors/making/request-2-vectors.ts';

const read = (content: Uint8Array): RequestContent =>
  decodeCanonicalJson(content, requestContent, maximumContentLength);

test('sotto-v1-request-2.json: is what the writers make', () => {
  expect(JSON.parse(JSON.stringify(makeRequest2Vectors()))).toEqual(frozen);
});

describe('requestContent, format 2', () => {
  test.each(frozen.contents)('reads $name, and says what it uses', ({ json, content, uses }) => {
    const opened = read(fromHex(content));
    expect(opened).toEqual(json);
    expect(usesOf(opened)).toEqual(uses);
  });

  test.each(frozen.refusedContents)('refuses $name', ({ content }) => {
    expect(refusalOf(() => read(fromHex(content)))).toBe('malformed');
  });

  const withParts = (counts: readonly number[]) => ({
    ...frozen.contents[0]!.json,
    messages: counts.map((count) => ({
      role: 'user',
      parts: Array.from({ length: count }, () => ({ kind: 'text', text: '' })),
    })),
  });
  const full = Array.from({ length: Math.floor(maximumParts / 64) }, () => 64);

  test('takes as many parts in all as SPEC.md names, and not one more', () => {
    const most = [...full, maximumParts - 64 * full.length];
    expect(refusalOf(() => read(encodeCanonicalJson(withParts(most))))).toBe('accepted');
    expect(refusalOf(() => read(encodeCanonicalJson(withParts([...most, 1]))))).toBe('malformed');
  });

  test('lists within lists allow no more values than the largest request needs', () => {
    expect(jsonBudgetOf(requestContent).values).toBeLessThan(250_000);
    const largest = Array.from({ length: 10_000 }, () => 2);
    expect(v.is(requestContent, withParts(largest))).toBe(true);
    expect(refusalOf(() => read(encodeCanonicalJson(withParts(largest))))).toBe('accepted');
  });
});

describe('key statement, format 2', () => {
  const verify = ({ statement, signature }: { statement: string; signature: string }): KeyStatement =>
    verifyKeyStatement({
      identityPublicKey: fromHex(frozen.identityPublicKey),
      statement: fromHex(statement),
      signature: fromHex(signature),
      nonce: fromHex(frozen.nonce),
    });

  test.each(frozen.statements)('is read: $value.accepts', (signed) => {
    expect(verify(signed)).toEqual(signed.value);
  });

  test.each(frozen.refusedStatements)('refuses $name', (signed) => {
    expect(refusalOf(() => verify(signed))).toBe('malformed');
  });

  test('acceptedByAll: what each of them names, and nothing of format 1 or of a later version', () => {
    const [none, fast, all, later] = frozen.statements.map(verify) as [KeyStatement, ...KeyStatement[]];
    const { accepts: _accepts, contextTokens: _tokens, ...rest } = fast as Extract<KeyStatement, { format: 2 }>;
    const plain: KeyStatement = { ...rest, format: 1 };
    expect([...acceptedByAll([all!])]).toHaveLength(6);
    expect([...acceptedByAll([all!, fast!])]).toEqual(['fast']);
    expect([...acceptedByAll([later!])]).toEqual(['fast']);
    expect([...acceptedByAll([all!, none])]).toEqual([]);
    expect([...acceptedByAll([all!, plain])]).toEqual([]);
    expect([...acceptedByAll([])]).toEqual([]);
  });
});

test.each(frozen.summaries)('RecordReader: reads the summary of a reply', ({ json, record }) => {
  expect(new RecordReader().push(fromHex(record))).toEqual([{ kind: 'summary', summary: json }]);
});
