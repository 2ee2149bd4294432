import { ed25519 } from '@noble/curves/ed25519.js';
import { signKeyStatement } from '../../../crypto/evidence/key-statement.ts';
import { labelled } from '../../../crypto/protocol/bytes/hash.ts';
import type { KeyStatement } from '../../../crypto/protocol/messages/enclave-messages.ts';
import { type ChatContent, type RequestContent, usesOf } from '../../../crypto/protocol/contents/request-content.ts';
import type { ReplySummary } from '../../../crypto/protocol/contents/reply-note.ts';
import { toBase64Url, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { encodeCanonicalJson } from '../../../crypto/protocol/json/canonical-json.ts';
import { Secret } from '../../../crypto/protocol/bytes/secret.ts';
import { encodeSummaryRecord } from '../../../crypto/turn/reply-record.ts';
import { seededBytes } from './given/seeded-values.ts';

const hash = (label: string) => toBase64Url(seededBytes(`request 2 ${label}`, 32));
const id = (label: string) => toBase64Url(seededBytes(`request 2 ${label}`, 16));

const shared = {
  format: 2,
  turnKey: hash('turn key'),
  evidenceDigest: hash('digest'),
  cacheSalt: hash('salt'),
} as const;
const text = { kind: 'text', text: 'Was heißt „sotto voce“? 🤫' } as const;
const image = { kind: 'image', mediaType: 'image/png', bytes: toBase64Url(seededBytes('image', 100)) } as const;
const source = { fileId: id('file'), name: 'Notes "of" 2026.pdf', page: 3, start: 12_000 } as const;
const passage = { kind: 'passage', text: 'Under the voice.', source } as const;
const question = { role: 'user', parts: [text] } as const;
const answer = { role: 'assistant', parts: [text] } as const;

const chat: ChatContent = { ...shared, kind: 'chat', messages: [question].map(copy), wants: {}, parameters: {} };
const embed = { ...shared, kind: 'embed', purpose: 'passage', texts: ['One.', 'Two.'] } as const;
const summary: ReplySummary = { covered: hash('covered'), text: 'They spoke of voices — low ones.' };

function copy<Value>(value: Value) {
  return structuredClone(value) as { -readonly [Key in keyof Value]: Value[Key] } & ChatContent['messages'][number];
}

const contents: Readonly<Record<string, RequestContent>> = {
  'one question': chat,
  'system text, parameters, a conversation': {
    ...chat,
    system: 'Answer in a low voice.',
    messages: [question, answer, question].map(copy),
    parameters: { temperature: 0.25, topP: 1, maximumTokens: 512, reasoning: false },
  },
  'passages of documents': {
    ...chat,
    messages: [copy({ role: 'user', parts: [text, passage, { ...passage, source: { ...source, page: null } }] })],
  },
  'an image': { ...chat, messages: [copy({ role: 'user', parts: [text, image] })] },
  'an answer to be continued': { ...chat, messages: [question, answer].map(copy) },
  'a title and a summary': {
    ...chat,
    messages: [question, answer, question].map(copy),
    wants: { title: true, summary: { covered: hash('covered'), messages: 2 } },
  },
  'passages to embed': { ...embed, texts: [...embed.texts] },
  'a query to embed': { ...embed, purpose: 'query', texts: ['Where?'] },
};

const parts = (...list: readonly object[]) => ({ messages: [{ role: 'user', parts: list }] });
const refusedChats: Readonly<Record<string, object>> = {
  'a format 3': { format: 3 },
  'another kind': { kind: 'image' },
  'system text that is empty': { system: '' },
  'a system message': { messages: [{ role: 'system', parts: [text] }] },
  'no message': { messages: [] },
  'a message without parts': parts(),
  'a message of 65 parts': parts(...Array.from({ length: 65 }, () => ({ kind: 'text', text: '' }))),
  'a message with text beside its parts': { messages: [{ ...question, text: 'a' }] },
  'a part of another kind': parts({ kind: 'sound', bytes: 'AA' }),
  'a part with a member more': parts({ ...text, language: 'de' }),
  'an image of another type': parts({ ...image, mediaType: 'image/svg+xml' }),
  'an image without bytes': parts({ ...image, bytes: '' }),
  'an image with an address': parts({ ...image, url: 'https://example.com/a.png' }),
  'a passage without words': parts({ ...passage, text: '' }),
  'a passage without a source': parts({ kind: 'passage', text: 'a' }),
  'a passage on page 0': parts({ ...passage, source: { ...source, page: 0 } }),
  'a passage of a name of 256': parts({ ...passage, source: { ...source, name: 'n'.repeat(256) } }),
  'a passage of a file without id': parts({ ...passage, source: { ...source, fileId: 'short' } }),
  'a title that is not wanted': { wants: { title: false } },
  'a wish that nobody knows': { wants: { poem: true } },
  'a summary of no message': { wants: { summary: { covered: hash('covered'), messages: 0 } } },
  'a summary of nothing named': { wants: { summary: { messages: 1 } } },
  'texts as in an embedding': { texts: ['One.'] },
};
const refusedEmbeds: Readonly<Record<string, object>> = {
  'no text to embed': { texts: [] },
  'an empty text to embed': { texts: [''] },
  '65 texts to embed': { texts: Array.from({ length: 65 }, () => 'a') },
  'a text to embed of 8,193': { texts: ['a'.repeat(8_193)] },
  'another purpose': { purpose: 'cluster' },
  'messages in an embedding': { messages: chat.messages },
};

const identitySeed = seededBytes('request 2 identity', 32);
const statement = {
  format: 2,
  nonce: hash('nonce'),
  issuedAtMs: 1_795_000_000_000,
  keys: [{ keyId: hash('key'), notAfterMs: 1_795_007_200_000 }],
  model: 'Qwen/Qwen3.5-9B',
  weightsDigest: null,
  engine: 'openai',
} as const;
const abilities: readonly Pick<Extract<KeyStatement, { format: 2 }>, 'accepts' | 'contextTokens'>[] = [
  { accepts: [], contextTokens: null },
  { accepts: ['fast'], contextTokens: 8_192 },
  { accepts: ['continue', 'embed', 'fast', 'images', 'summary', 'title'], contextTokens: 1_000_000_000 },
  { accepts: ['a-later-name', 'fast'], contextTokens: null },
];
const refusedStatements: Readonly<Record<string, object>> = {
  'format 3': { format: 3 },
  'format 1 with the members of format 2': { format: 1 },
  'names that fall': { accepts: ['fast', 'embed'] },
  'a name twice': { accepts: ['fast', 'fast'] },
  'a name in capitals': { accepts: ['Fast'] },
  'an empty name': { accepts: [''] },
  'a name of 33 characters': { accepts: ['a'.repeat(33)] },
  '33 names': { accepts: Array.from({ length: 33 }, (_, place) => `n${String(place).padStart(2, '0')}`) },
  'no token': { contextTokens: 0 },
  'tokens above a billion': { contextTokens: 1_000_000_001 },
  'a member more': { dimensions: 768 },
};

/** Signed like a statement, whatever it says. */
function sign(value: object) {
  const bytes = encodeCanonicalJson(value);
  const signature = ed25519.sign(labelled('sotto/v1/key-statement', bytes), identitySeed);
  return { statement: toHex(bytes), signature: toHex(signature) };
}

function signStatement(value: KeyStatement) {
  const signed = signKeyStatement({
    identitySecretKey: new Secret('IdentityKey', identitySeed.slice()),
    statement: value,
  });
  return { value, statement: toHex(signed.statement), signature: toHex(signed.signature) };
}

/** The frozen vectors of request format 2, key statement format 2 and what a reply brings beside the answer (SPEC.md §13.5). */
export function makeRequest2Vectors() {
  return {
    about: 'Frozen vectors of crypto/SPEC.md §7.3, §8.3, §9.2; bytes are lower-case hex. Made by `npm run vectors`.',
    contents: Object.entries(contents).map(([name, json]) => ({
      name,
      json,
      uses: usesOf(json),
      content: toHex(encodeCanonicalJson(json)),
    })),
    refusedContents: [
      ...Object.entries(refusedChats).map(([name, more]) => ({ name, more: { ...chat, ...more } })),
      ...Object.entries(refusedEmbeds).map(([name, more]) => ({ name, more: { ...embed, ...more } })),
    ].map(({ name, more }) => ({ name, content: toHex(encodeCanonicalJson(more)) })),
    identitySeed: toHex(identitySeed),
    identityPublicKey: toHex(ed25519.getPublicKey(identitySeed)),
    nonce: toHex(seededBytes('request 2 nonce', 32)),
    statements: abilities.map((each) => signStatement({ ...statement, keys: [...statement.keys], ...each })),
    refusedStatements: Object.entries(refusedStatements).map(([name, more]) => ({
      name,
      ...sign({ ...statement, ...abilities[1], ...more }),
    })),
    summaries: [{ json: summary, record: toHex(encodeSummaryRecord(summary)) }],
  };
}
