import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decodeRequestHeader, encodeRequestHeader } from '../../../crypto/protocol/messages/request-header.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import { generateEnclaveKeyPair } from '../../../crypto/turn/hybrid-kem.ts';
import * as requests from '../../../crypto/turn/sealed-request.ts';
import { encodeBase64url, join, sha256, u8, utf8, zeros, type Bytes } from '../protocol/conventions.ts';
import { differences, plain, random, randomText, sortedMembers, variants, shown } from './outcomes.ts';
import { hpkeSeal, xWingPublicKey } from '../turn/hpke.ts';
import { readRequestContent, writeRequestContent } from '../protocol/request-content.ts';
import {
  frameClasses,
  infoOf,
  openRequest,
  readRequestHeader,
  sealRequest,
  sealRequestBody,
  writeRequestHeader,
} from '../turn/request.ts';
import type { FrameClass, SealedRequest } from '../turn/request.ts';
import { toHex } from '../vectors/vectors.ts';

// Keys are drawn while the tests are collected.
await aeadReady();

const times = Array.from({ length: 3 }, (_, index) => index);
const randomClass = (): FrameClass => frameClasses[randomInt(3)]!;

test.each(times)('request headers, random input %i', () => {
  const header = {
    frameClass: randomClass(),
    turnId: random(16),
    expiresAtMs: randomInt(2 ** 48 - 1),
    model: `m${'.'.repeat(randomInt(128))}`,
  };
  const bytes = writeRequestHeader(header);
  expect(encodeRequestHeader(header)).toEqual(bytes);
  const named = (model: string): Bytes => join(bytes.slice(0, 27), u8(utf8(model).length), utf8(model));
  const wrong = ['', 'm'.repeat(128), 'm'.repeat(129), '-m', 'é', 'm\n', 'm m', 'Q/w:1@+_-.'].map((model) => ({
    name: model,
    bytes: named(model),
  }));
  const late = join(bytes.slice(0, 19), Uint8Array.of(0, 32, 0, 0, 0, 0, 0, 0), bytes.slice(27));
  const readers = { mine: readRequestHeader, production: decodeRequestHeader };
  expect(differences([...variants(bytes), ...wrong, { name: 'expiry 2^53', bytes: late }], readers)).toEqual([]);
});

/** Contents of format 2, right and wrong. */
function format2Contents({
  turnKey,
  evidenceDigest,
  cacheSalt,
}: Record<'turnKey' | 'evidenceDigest' | 'cacheSalt', string>) {
  const keys = { format: 2, turnKey, evidenceDigest, cacheSalt };
  const part = { kind: 'text', text: randomText(100) };
  const chat = { ...keys, kind: 'chat', messages: [{ role: 'user', parts: [part] }], wants: {}, parameters: {} };
  const embed = { ...keys, kind: 'embed', purpose: 'query', texts: [`${randomText(100)}.`] };
  const image = { kind: 'image', mediaType: 'image/webp', bytes: encodeBase64url(random(randomInt(1, 400))) };
  const source = { fileId: encodeBase64url(random(16)), name: randomText(20), page: null, start: randomInt(1000) };
  const asked = (...parts: object[]) => ({ ...chat, messages: [{ role: 'user', parts }] });
  return [
    chat,
    embed,
    asked(part, image, { kind: 'passage', text: 'a', source }),
    asked({ ...image, bytes: `${image.bytes}=` }),
    asked({ kind: 'passage', text: '', source }),
    asked({ ...part, source }),
    { ...chat, system: 's', wants: { title: true, summary: { covered: turnKey, messages: 10_000 } } },
    { ...chat, wants: { summary: { covered: turnKey, messages: 10_001 } } },
    { ...chat, messages: [{ role: 'system', parts: [part] }] },
    { ...chat, purpose: 'query' },
    { ...embed, texts: [''] },
    { ...embed, kind: 'chat' },
    { ...embed, format: 1 },
  ];
}

/** The cases of which the readers say different things, short enough to be read. */
const unlike = (found: readonly (readonly string[])[]): string[] =>
  found
    .filter(([, mine, production]) => mine !== production)
    .map((parts) => parts.map((part) => part.slice(-80)).join(' | '));

describe.each(times)('requests, random input %i', () => {
  const header = { frameClass: randomClass(), turnId: random(16), expiresAtMs: randomInt(2 ** 47), model: 'Qwen/a' };
  const content = {
    format: 1 as const,
    turnKey: encodeBase64url(random(32)),
    evidenceDigest: encodeBase64url(random(32)),
    cacheSalt: encodeBase64url(random(32)),
    messages: [{ role: 'user' as const, text: randomText(2000) }],
    parameters: randomInt(2) === 0 ? {} : { temperature: 0.5, maximumTokens: 9 },
  };
  const pairs = Array.from({ length: randomInt(1, 5) }, () => generateEnclaveKeyPair());
  const secretKeys = new Map(pairs.map((pair) => [toHex(sha256(pair.publicKey)), pair.secretKey]));
  const keys = pairs.map(({ publicKey, secretKey }) => ({ seed: secretKey.expose(), keyId: sha256(publicKey) }));
  const publicKeys = pairs.map(({ publicKey }) => publicKey);

  async function codesOf(request: SealedRequest): Promise<[string, string]> {
    const recipients = request.recipients.map(({ keyId, encapsulation, wrappedKey }) => ({
      keyId: plain(keyId),
      encapsulation: plain(encapsulation),
      wrappedKey: plain(wrappedKey),
    }));
    const theirs = requests
      .openRequest({ request: { header: plain(request.header), body: plain(request.body), recipients }, secretKeys })
      .then(
        (opened) => JSON.stringify(shown(opened.content)),
        (error: unknown) => String((error as { code?: unknown }).code),
      );
    let mine: string;
    try {
      mine = JSON.stringify(shown(readRequestContent(openRequest(request, keys).content)));
    } catch (error) {
      mine = String((error as { code?: unknown }).code);
    }
    return [mine, await theirs];
  }

  test('production writes, both read; the reader writes, both read', async () => {
    expect(pairs.map(({ secretKey }) => xWingPublicKey(secretKey.expose()))).toEqual(publicKeys);
    const theirs = await requests.sealRequest({ header, content, recipients: publicKeys });
    const seeds = publicKeys.map(() => random(64));
    const written = writeRequestContent(content);
    const secrets = { contentKey: random(32), nonce: random(24), seeds };
    const ours = sealRequest(writeRequestHeader(header), written, publicKeys, secrets);
    expect(ours.body.length).toBe(theirs.body.length);
    for (const request of [theirs, ours]) {
      expect(openRequest(request, keys).header).toEqual(header);
      const [mine, production] = await codesOf(request);
      expect(JSON.parse(mine)).toEqual(content);
      expect(JSON.parse(production)).toEqual(content);
    }
  });

  test('both refuse alike', async () => {
    const request: SealedRequest = await requests.sealRequest({ header, content, recipients: publicKeys });
    const [first] = request.recipients;
    const others = request.recipients.slice(1);
    const withFirst = (changed: Partial<NonNullable<typeof first>>): SealedRequest => ({
      ...request,
      recipients: [{ ...first!, ...changed }, ...others],
    });
    const cases: [string, SealedRequest][] = [
      ['another body', { ...request, body: request.body.with(30, request.body[30]! ^ 1) }],
      ['a shorter body', { ...request, body: request.body.slice(0, -1) }],
      ['39 bytes', { ...request, body: request.body.slice(0, 39) }],
      ['40 bytes', { ...request, body: request.body.slice(0, 40) }],
      ['another header', { ...request, header: request.header.with(4, request.header[4]! ^ 1) }],
      ['a longer header', { ...request, header: join(request.header, zeros(1)) }],
      ['version 2', { ...request, header: request.header.with(0, 2) }],
      ['another frame class', { ...request, header: request.header.with(2, (request.header[2]! % 3) + 1) }],
      ['frame class 0', { ...request, header: request.header.with(2, 0) }],
      [
        'another encapsulation',
        withFirst({ encapsulation: first!.encapsulation.with(9, first!.encapsulation[9]! ^ 1) }),
      ],
      [
        'another X25519 share',
        withFirst({ encapsulation: first!.encapsulation.with(1100, first!.encapsulation[1100]! ^ 1) }),
      ],
      ['a shorter encapsulation', withFirst({ encapsulation: first!.encapsulation.slice(1) })],
      ['an X25519 share of zeros', withFirst({ encapsulation: join(first!.encapsulation.slice(0, 1088), zeros(32)) })],
      ['another wrapped key', withFirst({ wrappedKey: first!.wrappedKey.with(47, first!.wrappedKey[47]! ^ 1) })],
      ['a shorter wrapped key', withFirst({ wrappedKey: first!.wrappedKey.slice(1) })],
      ['another recipient first', withFirst({ keyId: random(32) })],
      ['no known recipient', { ...request, recipients: [{ ...first!, keyId: random(32) }] }],
      ['no recipient', { ...request, recipients: [] }],
      ['five recipients', { ...request, recipients: [1, 2, 3, 4, 5].map(() => first!) }],
    ];
    const found = await Promise.all(cases.map(async ([name, changed]) => [name, ...(await codesOf(changed))]));
    expect(unlike(found)).toEqual([]);
  });

  test('a content key of another length: both refuse alike', async () => {
    const codes: string[][] = [];
    for (const length of [31, 33, 32]) {
      const bytes = writeRequestHeader(header);
      const contentKey = random(32);
      const body = sealRequestBody(bytes, writeRequestContent(content), contentKey, random(24));
      const keyId = sha256(publicKeys[0]!);
      const wrapped = length < 32 ? contentKey.slice(0, length) : join(contentKey, zeros(length - 32));
      const sealed = hpkeSeal(publicKeys[0]!, infoOf(bytes, keyId, body), zeros(0), wrapped, random(64));
      const recipients = [{ keyId, encapsulation: sealed.encapsulation, wrappedKey: sealed.ciphertext }];
      codes.push([...(await codesOf({ header: bytes, body, recipients }))]);
    }
    expect(codes.map(([mine, production]) => mine === production)).toEqual([true, true, true]);
    expect(codes.map(([mine]) => mine)).toEqual(['open-failed', 'open-failed', codes[2]![0]]);
  });

  test('content: both refuse alike', async () => {
    const wrong: object[] = [
      { ...content, format: 2 },
      { ...content, other: 1 },
      { ...content, messages: [] },
      { ...content, messages: [{ role: 'tool', text: '' }] },
      { ...content, messages: [{ role: 'user', text: '' }] },
      { ...content, messages: [{ role: 'user', text: 'a'.repeat(2_000_001) }] },
      { ...content, turnKey: content.turnKey.slice(1) },
      { ...content, turnKey: `${content.turnKey.slice(0, -1)}B` },
      { ...content, cacheSalt: `${content.cacheSalt.slice(0, -1)}B` },
      { ...content, evidenceDigest: `${content.evidenceDigest.slice(0, -1)}B` },
      ...[
        { temperature: 2 },
        { temperature: 2.1 },
        { temperature: -0.1 },
        { topP: 0 },
        { topP: 1.01 },
        { maximumTokens: 0 },
        { maximumTokens: 1.5 },
        { maximumTokens: 1_000_001 },
        { reasoning: null },
        { reasoning: true },
        { other: 1 },
      ].map((parameters) => ({ ...content, parameters })),
      ...format2Contents(content),
    ];
    const secrets = { contentKey: random(32), nonce: random(24), seeds: [random(64)] };
    const found = await Promise.all(
      wrong.map(async (value) => {
        const bytes = utf8(JSON.stringify(sortedMembers(value)));
        return [
          JSON.stringify(value).slice(-200),
          ...(await codesOf(sealRequest(writeRequestHeader(header), bytes, publicKeys.slice(0, 1), secrets))),
        ];
      }),
    );
    expect(unlike(found)).toEqual([]);
  });
});
