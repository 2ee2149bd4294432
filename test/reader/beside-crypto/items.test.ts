import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import * as unsent from '../../../crypto/vault/unsent-text.ts';
import * as expiry from '../../../crypto/vault/expiry.ts';
import * as items from '../../../crypto/vault/item.ts';
import { itemContent } from '../../../crypto/protocol/contents/item-contents.ts';
import * as contents from '../../../crypto/vault/item-content.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { sealCommitted } from '../primitives/committed-seal.ts';
import { header, join, lp, u32, utf8, zeros, type Bytes } from '../protocol/conventions.ts';
import { differences, random, randomText, variants } from './outcomes.ts';
import { knownTypes, readItemContent } from '../vault/item-content.ts';
import { expiryDay, mayBodyBeMissing, openDraft, openItem, sealDraft, sealItem } from '../vault/items.ts';
import { sampleAccount } from './account-sample.ts';

beforeAll(aeadReady);

const times = Array.from({ length: 5 }, (_, index) => index);

describe.each(times)('items, random input %i', () => {
  const { keyring, production } = sampleAccount();
  const place = { itemId: random(16), version: randomInt(1, 2 ** 32), expiresAt: randomInt(10_000_001) };
  const content = random(randomInt(1020));
  const readers = {
    mine: (body: Bytes) => openItem(keyring, place, body),
    production: (body: Bytes) => items.openItem({ ...place, keyring: production, body }),
  };

  test('items: both read alike, whichever wrote', () => {
    const theirs = items.sealItem({ ...place, keyring: production, content });
    expect(readers.mine(theirs)).toEqual(content);
    expect(differences(variants(theirs), readers)).toEqual([]);
    expect(differences(variants(sealItem(keyring, place, content, random(32))), readers)).toEqual([]);
  });

  test.each([0, 1020, 1021, 65_532, 65_533, 262_140, 1_048_572, 1_048_573, 3_000_000])(
    'content of %i bytes',
    (length) => {
      const long = random(length);
      const bodies = [
        { name: 'production', bytes: items.sealItem({ ...place, keyring: production, content: long }) },
        { name: 'reader', bytes: sealItem(keyring, place, long, random(32)) },
      ];
      expect(new Set(bodies.map(({ bytes }) => bytes.length)).size).toBe(1);
      expect(differences(bodies, readers)).toEqual([]);
    },
  );
});

test('item padding: both refuse all but the one', () => {
  const { keyring, production } = sampleAccount();
  const place = { itemId: random(16), version: 1, expiresAt: 0 };
  const { accountId } = keyring;
  const sealed = (plaintext: Bytes): Bytes => {
    const sealedHeader = header(1);
    const associatedData = lp(sealedHeader, accountId, place.itemId, u32(1), u32(0));
    const info = lp('sotto/v1/item', accountId, place.itemId);
    const sealing = { key: keyring.keys[0]!.accountKey, info, associatedData };
    return join(sealedHeader, sealCommitted(sealing, plaintext, random(32)));
  };
  const plaintexts: [string, Bytes][] = [
    ['as it should be', zeros(1024)],
    ['nothing', zeros(0)],
    ['three bytes', zeros(3)],
    ['no padding', zeros(4)],
    ['a class too large', zeros(4096)],
    ['a byte short', zeros(1023)],
    ['not zero', zeros(1024).with(1023, 1)],
    ['beyond the end', zeros(1024).with(3, 255).with(2, 4)],
    ['the length of a larger class', zeros(1024).with(2, 3).with(3, 253)],
    ['a length above the limit', zeros(1024).with(0, 255)],
  ];
  const readers = {
    mine: (body: Bytes) => openItem(keyring, place, body),
    production: (body: Bytes) => items.openItem({ ...place, keyring: production, body }),
  };
  const inputs = plaintexts.map(([name, plaintext]) => ({ name, bytes: sealed(plaintext) }));
  expect(differences(inputs, readers)).toEqual([]);
  expect(readers.mine(inputs[0]!.bytes)).toEqual(zeros(0));
});

test('item content: both say the same of it', () => {
  const id = 'AAAAAAAAAAAAAAAAAAAAAA';
  const hash = 'A'.repeat(43);
  const settings = '{"format":1,"theme":{"setAtMs":1,"value":"dark"}}';
  const conversation = `{"cacheSalt":"${hash}","createdAtMs":1,"format":1,"title":{"setAtMs":0,"value":"é"}}`;
  const message = `{"conversationId":"${id}","createdAtMs":1,"format":1,"parentId":null,"replyItemId":"${id}","text":"","turnId":"${id}","turnKey":"${hash}"}`;
  const reply = `{"conversationId":"${id}","createdAtMs":1,"engine":"","format":1,"model":"m","outcome":"cut-off","parentId":"${id}","protection":"","reasoning":"","text":"","transcriptHash":"${hash}","turnId":"${id}","usage":{"promptTokens":0,"replyTokens":9007199254740991}}`;
  const texts: [string, string][] = [
    ['settings', settings],
    ['settings', settings.replace('dark', 'blue')],
    ['settings', settings.replace('"format":1,', '')],
    ['settings', settings.replace('"format":1', '"format":2')],
    ['settings', settings.replace('"setAtMs":1', '"setAtMs":8640000000000000')],
    ['settings', settings.replace('"setAtMs":1', '"setAtMs":8640000000000001')],
    ['settings', settings.replace('"setAtMs":1', '"setAtMs":0.5')],
    ['settings', settings.replace('"setAtMs":1', '"setAtMs":-1')],
    ['settings', settings.replace('"theme"', '"other":1,"theme"')],
    ['settings', settings.replace(',', ', ')],
    ['settings', `${settings}\n`],
    ['settings', `\ufeff${settings}`],
    ['settings', 'null'],
    ['settings', ''],
    ['conversation', conversation],
    ['conversation', conversation.replace('é', 'é'.repeat(200))],
    ['conversation', conversation.replace('é', '😀'.repeat(100))],
    ['conversation', conversation.replace('é', '😀'.repeat(101))],
    ['conversation', conversation.replace('é', '\\ud800')],
    ['conversation', conversation.replace('AAA', 'AA=')],
    ['conversation', conversation.replace('AAA"', 'AAB"')],
    ['message', message.replace(`${id}"`, `${id.slice(1)}B"`)],
    ['message', message],
    ['message', message.replace('"text":""', `"text":"${'a'.repeat(200_000)}"`)],
    ['message', message.replace('"text":""', `"text":"${'a'.repeat(200_001)}"`)],
    ['message', message.replace('null', `"${id}"`)],
    ['message', message.replace('"parentId":null,', '')],
    ['message', message.replace(id, `${id}A`)],
    ['reply', reply],
    ['reply', reply.replace('cut-off', 'complete')],
    ['reply', reply.replace('cut-off', 'other')],
    ['reply', reply.replace('"m"', '""')],
    ['reply', reply.replace('"m"', '"-m"')],
    ['reply', reply.replace('"m"', `"${'m'.repeat(128)}"`)],
    ['reply', reply.replace('"m"', `"${'m'.repeat(129)}"`)],
    ['reply', reply.replace('"protection":""', `"protection":"${'p'.repeat(500)}"`)],
    ['reply', reply.replace('"protection":""', `"protection":"${'p'.repeat(501)}"`)],
    ['reply', reply.replace('"engine":""', `"engine":"${'e'.repeat(33)}"`)],
    ['reply', reply.replace(/\{"promptTokens.*\d\}/, 'null')],
    ['reply', reply.replace('"replyTokens":9007199254740991', '"replyTokens":1.5')],
    ['unknown-kind', '{"b":[1],"c":{}}'],
    ['unknown-kind', '{"b":1,"a":1}'],
    ['unknown-kind', '{"__proto__":1}'],
    ['unknown-kind', '[]'],
    ['unknown-kind', '5'],
    ['unknown-kind', ''],
    ['constructor', '{}'],
    ['Settings', settings],
    ['s', '{}'],
    [`s${'-'.repeat(31)}`, '{}'],
    [`s${'-'.repeat(32)}`, '{}'],
    ['', '{}'],
  ];
  const framed = texts.map(([type, json]) => ({
    name: `${type} ${json.slice(0, 200)}`,
    bytes: join(Uint8Array.of(type.length), utf8(type), utf8(json)),
  }));
  const raw = [[], [0], [9], [8, 115], [1, 0xff, 0x7b, 0x7d]].map((bytes) => ({
    name: bytes.join(),
    bytes: Uint8Array.from(bytes),
  }));
  const readers = {
    mine: (bytes: Bytes) => {
      const content = readItemContent(bytes);
      return content === null ? null : { type: content.type, ...content.members };
    },
    production: (bytes: Bytes) => contents.decodeItemContent(bytes),
  };
  expect(differences([...framed, ...raw], readers)).toEqual([]);
});

test('types of items: SPEC.md §5.1 describes each one that crypto writes, and the reader reads it', () => {
  const specification = readFileSync(joinPath(import.meta.dirname, '../../../crypto/SPEC.md'), 'utf8');
  const section = /^### §5\.1 .*?(?=^##)/ms.exec(specification)?.[0] ?? '';
  const described = [...section.matchAll(/^\*\*`([a-z-]+)`\*\*/gm)].map(([, type = '']) => type);
  const written = itemContent.options.map(({ entries }) => entries.type.literal);
  expect(described.toSorted()).toEqual(written.toSorted());
  expect(knownTypes.toSorted()).toEqual(written.toSorted());
});

test.each(times)('drafts, random input %i', () => {
  const { keyring, production } = sampleAccount();
  const draftId = `d${randomText(10)}`;
  const readers = {
    mine: (body: Bytes) => openDraft(keyring, draftId, body),
    production: (body: Bytes) => unsent.openUnsentText({ keyring: production, placeId: draftId, body }),
  };
  for (const text of ['', '\ufeffbyte order mark', randomText(500)]) {
    const theirs = unsent.sealUnsentText({ keyring: production, placeId: draftId, text });
    expect(readers.mine(theirs)).toBe(text);
    expect(differences(variants(theirs), readers)).toEqual([]);
    const ours = sealDraft(keyring, draftId, text, random(32));
    expect(differences([{ name: 'mine', bytes: ours }], readers)).toEqual([]);
    expect(readers.mine(ours)).toBe(text);
  }
});

test('expiry: both count days alike', () => {
  const found = [0, 1, 86_399_999, 86_400_000, 86_400_001, 1_795_000_000_000].map((timeMs) => [
    expiryDay(timeMs) - expiry.roundUpToDay(timeMs),
    ...[-1, 0, 1].flatMap((step) =>
      [0, 1, 20_000].map((expiresAt) => {
        const nowMs = (expiresAt + 1) * 86_400_000 + step;
        return Number(mayBodyBeMissing(expiresAt, nowMs)) - Number(expiry.isMissingBodyAllowed({ expiresAt, nowMs }));
      }),
    ),
  ]);
  expect(new Set(found.flat())).toEqual(new Set([0]));
});
