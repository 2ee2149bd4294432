import { expect, test } from 'vitest';
import type { JsonObject } from '../protocol/canonical-json.ts';
import frozen from '../../vectors/sotto-v1-request-2.json' with { type: 'json' };
import { RecordReader } from '../turn/reply-records.ts';
import { readRequestContent, usesOf, writeRequestContent } from '../protocol/request-content.ts';
import { readStatement, signStatement } from '../evidence/statement.ts';
import { codeOf, fromHex, toHex } from './vectors.ts';

test.each(frozen.contents)('request format 2: $name, both ways', ({ json, content, uses }) => {
  expect(toHex(writeRequestContent(json as JsonObject))).toBe(content);
  expect(readRequestContent(fromHex(content))).toEqual(json);
  expect(usesOf(json as JsonObject)).toEqual(uses);
  expect(codeOf(() => readRequestContent(fromHex(content).slice(0, -1)))).toBe('malformed');
});

test.each(frozen.refusedContents)('request format 2: refuses $name', ({ content }) => {
  expect(codeOf(() => readRequestContent(fromHex(content)))).toBe('malformed');
});

const [identity, nonce] = [fromHex(frozen.identityPublicKey), fromHex(frozen.nonce)];

test.each(frozen.statements)('key statement format 2: $value.accepts, both ways', ({ value, statement, signature }) => {
  const written = signStatement(fromHex(frozen.identitySeed), value);
  expect([toHex(written.statement), toHex(written.signature)]).toEqual([statement, signature]);
  expect(readStatement(identity, fromHex(statement), fromHex(signature), nonce)).toEqual(value);
});

test.each(frozen.refusedStatements)('key statement format 2: refuses $name', ({ statement, signature }) => {
  expect(codeOf(() => readStatement(identity, fromHex(statement), fromHex(signature), nonce))).toBe('malformed');
});

test.each(frozen.summaries)('summary of a reply: is read', ({ json, record }) => {
  const reader = new RecordReader();
  reader.add(fromHex(record));
  expect(reader.summaries).toEqual([json]);
});
