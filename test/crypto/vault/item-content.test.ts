import { beforeAll, describe, expect, it } from 'vitest';
import type { ItemContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { concat, decodeUtf8, encodeUtf8, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import {
  decodeItemContent,
  encodeItemContent,
  openContent,
  openContentOrDescribe,
  sealContent,
  sealedContentLength,
} from '../../../crypto/vault/item-content.ts';
import { sealItem } from '../../../crypto/vault/item.ts';
import { refusalOf } from '../../parts/crypto/refusal.ts';
import { filled, sampleKeyring } from '../../parts/crypto/sample-account.ts';

beforeAll(aeadReady);

const id = (value: number) => toBase64Url(filled(16, value));
const hash = (value: number) => toBase64Url(filled(32, value));
const keyring = sampleKeyring();
const place = { itemId: filled(16, 1), version: 1, expiresAt: 0 };

const contents: readonly ItemContent[] = [
  {
    type: 'conversation',
    format: 1,
    createdAtMs: 5,
    title: { value: 'A title', setAtMs: 6 },
    cacheSalt: hash(1),
  },
  {
    type: 'message',
    format: 1,
    conversationId: id(1),
    parentId: null,
    createdAtMs: 5,
    text: 'What is a zero-knowledge proof?\n— \u2028 😀 "quoted" \u0000',
    turnId: id(2),
    turnKey: hash(3),
    replyItemId: id(4),
  },
  {
    type: 'reply',
    format: 1,
    conversationId: id(1),
    parentId: id(2),
    turnId: id(3),
    createdAtMs: 7,
    text: 'It is …',
    reasoning: '',
    outcome: 'complete',
    transcriptHash: hash(4),
    model: 'rehearsal',
    engine: 'rehearsal',
    protection: 'No protection from whoever runs this machine.',
    usage: { promptTokens: 3, replyTokens: 4 },
  },
  { type: 'settings', format: 1, theme: { value: 'dark', setAtMs: 1 } },
];
const message = contents[1]!;

describe('item content', () => {
  it.each(contents)('$type comes back', (content) => {
    expect(decodeItemContent(encodeItemContent(content))).toEqual(content);
    const body = sealContent({ keyring, ...place, content });
    expect(openContent({ keyring, ...place, body })).toEqual(content);
  });

  it('is sealed to a body of the length that is said before, around each size class', () => {
    const reply = contents[2];
    if (reply?.type !== 'reply') throw new Error('not a reply');
    // Before padding stands the length, in 4 bytes.
    const around = 4 + encodeItemContent({ ...reply, text: '' }).length;
    const bodyLength = (length: number) => {
      const content = { ...reply, text: 'x'.repeat(length - around) };
      const body = sealContent({ keyring, ...place, content });
      expect(sealedContentLength(content)).toBe(body.length);
      return body.length;
    };
    expect(bodyLength(around)).toBe(1110);
    for (const sizeClass of [1024, 4096, 16_384, 1_048_576, 1_114_112]) {
      expect([bodyLength(sizeClass - 1), bodyLength(sizeClass)]).toEqual([sizeClass + 86, sizeClass + 86]);
      expect(bodyLength(sizeClass + 1)).toBeGreaterThan(sizeClass + 86);
    }
    // Six bytes each.
    const control = '\u0001'.repeat(2_000_000);
    expect(refusalOf(() => sealedContentLength({ ...reply, text: control }))).toBe('accepted');
    expect(refusalOf(() => sealedContentLength({ ...reply, text: control, reasoning: control }))).toBe('too-long');
  });

  it('begins with its type', () => {
    const bytes = encodeItemContent(contents[3]!);
    const rest = '{"format":1,"theme":{"setAtMs":1,"value":"dark"}}';
    expect(decodeUtf8(bytes)).toBe(`\u0008settings${rest}`);
  });

  it('M14: the fields of one type do not pass as another', () => {
    const bytes = encodeItemContent(contents[3]!);
    const renamed = concat(Uint8Array.of(7), encodeUtf8('message'), bytes.subarray(9));
    expect(refusalOf(() => decodeItemContent(renamed))).toBe('malformed');
  });

  it('a type of a newer build is null, not an error', () => {
    const bytes = concat(Uint8Array.of(8), encodeUtf8('document'), encodeUtf8('anything'));
    expect(decodeItemContent(bytes)).toBeNull();
    const body = sealItem({ keyring, ...place, content: bytes });
    expect(openContent({ keyring, ...place, body })).toBeNull();
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a type without characters', Uint8Array.of(0)],
    ['a type cut short', concat(Uint8Array.of(9), encodeUtf8('settings'))],
    ['a type in capitals', concat(Uint8Array.of(8), encodeUtf8('Settings{}'))],
    ['a type of 33 characters', concat(Uint8Array.of(33), encodeUtf8('a'.repeat(33)))],
    ['a type that is not UTF-8', Uint8Array.of(1, 0xff)],
    ['no fields', concat(Uint8Array.of(8), encodeUtf8('settings'))],
    [
      'M24: the type again',
      concat(
        Uint8Array.of(8),
        encodeUtf8('settings{"format":1,"theme":{"setAtMs":1,"value":"dark"},"type":"settings"}'),
      ),
    ],
    [
      'M24: a duplicate field',
      concat(Uint8Array.of(8), encodeUtf8('settings{"format":1,"format":1,"theme":{"setAtMs":1,"value":"dark"}}')),
    ],
    [
      'M24: __proto__',
      concat(Uint8Array.of(8), encodeUtf8('settings{"__proto__":{},"format":1,"theme":{"setAtMs":1,"value":"dark"}}')),
    ],
    [
      'M11: another format',
      concat(Uint8Array.of(8), encodeUtf8('settings{"format":2,"theme":{"setAtMs":1,"value":"dark"}}')),
    ],
    ['M25: a byte behind', concat(encodeItemContent(contents[3]!), Uint8Array.of(0))],
    [
      'an unknown field',
      concat(Uint8Array.of(8), encodeUtf8('settings{"format":1,"more":1,"theme":{"setAtMs":1,"value":"dark"}}')),
    ],
  ])('decode refuses %s', (_, bytes) => {
    expect(refusalOf(() => decodeItemContent(bytes))).toBe('malformed');
  });

  it('never writes what it would not read', () => {
    const long = { ...message, text: 'x'.repeat(200_001) } as ItemContent;
    expect(refusalOf(() => encodeItemContent(long))).toBe('malformed');
    expect(refusalOf(() => encodeItemContent({ ...message, turnId: 'short' } as ItemContent))).toBe('malformed');
  });

  it('a text cut in the middle of an emoji is kept, with the half replaced', () => {
    const cut = { ...message, text: '😀'.slice(0, 1) } as ItemContent;
    expect(decodeItemContent(encodeItemContent(cut))).toEqual({ ...cut, text: '\ufffd' });
  });
});

describe('openContentOrDescribe', () => {
  const named = (type: string, json: string) => concat(Uint8Array.of(type.length), encodeUtf8(type + json));
  const open = (bytes: Uint8Array) =>
    openContentOrDescribe({ keyring, ...place, body: sealItem({ keyring, ...place, content: bytes }) });

  it.each(contents)('$type is opened', (content) => {
    expect(open(encodeItemContent(content))).toEqual(content);
  });

  it.each([
    ['another format', named('settings', '{"format":2}'), 'settings', null],
    [
      'a member more',
      named('settings', '{"format":1,"more":1,"theme":{"setAtMs":1,"value":"dark"}}'),
      'settings',
      null,
    ],
    ['its conversation', named('message', `{"conversationId":"${id(1)}","format":2}`), 'message', id(1)],
    ['a conversation that is no id', named('message', '{"conversationId":"short","format":2}'), 'message', null],
    ['no JSON', named('reply', 'CBOR'), 'reply', null],
    ['a type of another form', named('Settings', '{}'), null, null],
    ['a type that is not UTF-8', Uint8Array.of(1, 0xff), null, null],
    ['nothing', new Uint8Array(0), null, null],
  ])('describes %s', (_, bytes, of, conversationId) => {
    expect(open(bytes)).toEqual({ type: 'unreadable', of, conversationId });
  });

  it('a type of a newer build is null here too', () => {
    expect(open(named('document', 'anything'))).toBeNull();
  });

  it('describes what was sealed in a later way or under a later key, and refuses what was changed', () => {
    const body = sealContent({ keyring, ...place, content: message });
    const changed = (place_: number) => body.map((byte, at) => (at === place_ ? byte + 1 : byte));
    const described = { type: 'unreadable', of: null, conversationId: null };
    for (const later of [0, 1, 5]) {
      expect(openContentOrDescribe({ keyring, ...place, body: changed(later) })).toEqual(described);
    }
    expect(refusalOf(() => openContentOrDescribe({ keyring, ...place, body: changed(60) }))).toBe('open-failed');
  });
});
