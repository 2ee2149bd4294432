import { describe, expect, test } from 'vitest';
import { verifyKeyStatement } from '../../../crypto/evidence/key-statement.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { maximumContentLength } from '../../../crypto/protocol/bytes/size-class.ts';
import { requestContent } from '../../../crypto/protocol/contents/request-content.ts';
import { decodeCanonicalJson } from '../../../crypto/protocol/json/canonical-json.ts';
import { ed25519PublicKey, ed25519Sign } from '../primitives/ed25519.ts';
import { readStatement } from '../evidence/statement.ts';
import { encodeBase64url, lp, utf8, zeros, type Bytes } from '../protocol/conventions.ts';
import { readRequestContent } from '../protocol/request-content.ts';
import { isAccepted, plain, random, sortedMembers } from './outcomes.ts';

await aeadReady();

/** The value of a field that is this long, this many or this great. */
type Field = (size: number) => object;

const hash = encodeBase64url(zeros(32));
const keys = { format: 2, turnKey: hash, evidenceDigest: hash, cacheSalt: hash };
const text = { kind: 'text', text: 'Well?' };
const chat = { ...keys, kind: 'chat', messages: [{ role: 'user', parts: [text] }], wants: {}, parameters: {} };
const embed = { ...keys, kind: 'embed', purpose: 'query', texts: ['Well?'] };
const source = { fileId: encodeBase64url(zeros(16)), name: '', page: null, start: 0 };
const passage = { kind: 'passage', text: 'Words.', source };

const letters = (size: number) => 'a'.repeat(size);
const list = <Value>(size: number, value: Value) => Array.from({ length: size }, () => value);
const asking = (...parts: object[]) => ({ ...chat, messages: [{ role: 'user', parts }] });

const requestFields: readonly (readonly [string, number, Field])[] = [
  ['system text', 200_000, (size) => ({ ...chat, system: letters(size) })],
  ['messages', 10_000, (size) => ({ ...chat, messages: list(size, chat.messages[0]) })],
  ['parts of a message', 64, (size) => asking(...list(size, text))],
  ['text of a part', 2_000_000, (size) => asking({ ...text, text: letters(size) })],
  ['bytes of an image', 8 * 1024 * 1024, (size) => asking(image(size))],
  ['words of a passage', 200_000, (size) => asking({ ...passage, text: letters(size) })],
  ['name of a document', 255, (size) => asking({ ...passage, source: { ...source, name: letters(size) } })],
  ['page of a passage', 1_000_000, (page) => asking({ ...passage, source: { ...source, page } })],
  ['place of a passage', 2 ** 53 - 1, (start) => asking({ ...passage, source: { ...source, start } })],
  ['messages of a summary', 10_000, (messages) => ({ ...chat, wants: { summary: { covered: hash, messages } } })],
  ['tokens of a reply', 1_000_000, (maximumTokens) => ({ ...chat, parameters: { maximumTokens } })],
  ['texts to embed', 64, (size) => ({ ...embed, texts: list(size, 'a') })],
  ['a text to embed', 8_192, (size) => ({ ...embed, texts: [letters(size)] })],
];

function image(size: number) {
  return { kind: 'image', mediaType: 'image/png', bytes: encodeBase64url(zeros(size)) };
}

const seed = random(32);
const nonce = random(32);
const statement = {
  format: 2,
  nonce: encodeBase64url(nonce),
  issuedAtMs: 1_795_000_000_000,
  keys: [{ keyId: hash, notAfterMs: 1_795_007_200_000 }],
  model: 'm',
  weightsDigest: null,
  engine: 'openai',
  accepts: [] as readonly string[],
  contextTokens: null as number | null,
};
const names = (count: number, length: number) =>
  Array.from({ length: count }, (_, place) => `n${String(place).padStart(2, '0')}`.padEnd(length, '-'));

const statementFields: readonly (readonly [string, number, Field])[] = [
  ['names', 32, (size) => ({ ...statement, accepts: names(size, 32) })],
  ['length of a name', 32, (size) => ({ ...statement, accepts: names(1, size) })],
  ['tokens', 1_000_000_000, (contextTokens) => ({ ...statement, contextTokens })],
];

const readers = {
  request: {
    mine: (bytes: Bytes) => readRequestContent(bytes),
    production: (bytes: Bytes) => decodeCanonicalJson(plain(bytes), requestContent, maximumContentLength),
  },
  statement: {
    mine: (bytes: Bytes) => readStatement(ed25519PublicKey(seed), bytes, signatureOf(bytes), nonce),
    production: (bytes: Bytes) =>
      verifyKeyStatement({
        identityPublicKey: plain(ed25519PublicKey(seed)),
        statement: plain(bytes),
        signature: plain(signatureOf(bytes)),
        nonce: plain(nonce),
      }),
  },
};

const signatureOf = (bytes: Bytes): Bytes => ed25519Sign(seed, lp('sotto/v1/key-statement', bytes));

describe.each([
  ['request', requestFields],
  ['statement', statementFields],
] as const)('both readers of a %s, format 2', (structure, fields) => {
  test.each(fields)('%s: take %i and one less, and refuse one more', (_name, most, field) => {
    for (const read of Object.values(readers[structure])) {
      const taken = [most - 1, most, most + 1].map((size) => {
        const bytes = utf8(JSON.stringify(sortedMembers(field(size))));
        return isAccepted(() => read(bytes));
      });
      expect(taken).toEqual([true, true, false]);
    }
  });
});
