import { beforeAll, describe, expect, test } from 'vitest';
import type { RequestContent } from '../../../crypto/protocol/contents/request-content.ts';
import { encodeRequestHeader } from '../../../crypto/protocol/messages/request-header.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { randomBytes, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../crypto/protocol/bytes/errors.ts';
import { keyIdOf } from '../../../crypto/primitives/key-id.ts';
import { type EnclaveKeyPair, generateEnclaveKeyPair } from '../../../crypto/turn/hybrid-kem.ts';
import {
  fromMessage,
  hashRequest,
  openRequest,
  type SealedRequest,
  sealRequest,
  toMessage,
} from '../../../crypto/turn/sealed-request.ts';
import { tamperings } from '../../parts/crypto/tampering.ts';
import { sampleContent, sampleHeader } from './sample-turn.ts';

let pair: EnclaveKeyPair;
beforeAll(async () => {
  await aeadReady();
  pair = generateEnclaveKeyPair();
});

const keysOf = (...pairs: readonly EnclaveKeyPair[]) =>
  new Map(pairs.map(({ publicKey, secretKey }) => [toHex(keyIdOf(publicKey)), secretKey]));

async function refusalOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
  return 'accepted';
}

const open = (request: SealedRequest, ...pairs: readonly EnclaveKeyPair[]) =>
  openRequest({ request, secretKeys: keysOf(...(pairs.length === 0 ? [pair] : pairs)) });

const seal = (changes: { header?: object; content?: object; recipients?: readonly Bytes[] } = {}) =>
  sealRequest({
    header: sampleHeader(changes.header),
    content: sampleContent(changes.content),
    recipients: changes.recipients ?? [pair.publicKey],
  });

describe('sealRequest and openRequest', () => {
  test('give back header and content, and the hash that the reply is bound to', async () => {
    const header = sampleHeader();
    const content = sampleContent();
    const request = await sealRequest({ header, content, recipients: [pair.publicKey] });
    const opened = await open(fromMessage(toMessage(request)));
    expect(opened).toEqual({ header, content, requestHash: hashRequest(request), keyId: keyIdOf(pair.publicKey) });
  });

  test('every recipient opens, and nobody else', async () => {
    const others = [generateEnclaveKeyPair(), generateEnclaveKeyPair(), generateEnclaveKeyPair()];
    const request = await seal({ recipients: [pair, ...others].map(({ publicKey }) => publicKey) });
    for (const one of [pair, ...others]) {
      expect((await open(request, one)).keyId).toEqual(keyIdOf(one.publicKey));
    }
    expect(await refusalOf(() => open(request, generateEnclaveKeyPair()))).toBe('unknown-key');
  });

  test('a second sealing of the same turn shares no bytes of body, nonce or wrapping', async () => {
    const input = { header: sampleHeader(), content: sampleContent(), recipients: [pair.publicKey] };
    const [first, second] = [await sealRequest(input), await sealRequest(input)];
    expect(first.header).toEqual(second.header);
    expect(first.body.slice(0, 24)).not.toEqual(second.body.slice(0, 24));
    expect(first.body.slice(24)).not.toEqual(second.body.slice(24));
    expect(first.recipients[0]!.wrappedKey).not.toEqual(second.recipients[0]!.wrappedKey);
    expect(hashRequest(first)).not.toEqual(hashRequest(second));
  });

  test('bodies have the lengths of size classes, whatever was asked', async () => {
    const lengths = await Promise.all(
      ['a', 'a'.repeat(300), 'a'.repeat(3_000), 'a'.repeat(15_000)].map(
        async (text) => (await seal({ content: { messages: [{ role: 'user', text }] } })).body.length - 40,
      ),
    );
    expect(lengths).toEqual([1024, 1024, 4096, 16_384]);
  });

  test('the wire form is refused when a letter of it has a second spelling', async () => {
    const message = toMessage(await seal());
    const header = `${message.header.slice(0, -1)}${message.header.endsWith('A') ? 'B' : 'A'}`;
    const longer = { ...message, header: `${message.header}=` };
    expect(await refusalOf(() => open(fromMessage(longer)))).toBe('malformed');
    expect(await refusalOf(() => open(fromMessage({ ...message, header })))).not.toBe('accepted');
    expect(await refusalOf(() => open(fromMessage(message)))).toBe('accepted');
  });
});

describe('openRequest refuses', () => {
  test('every change of the header: model and frame class cannot be changed outside the seal (M33)', async () => {
    const request = await seal();
    const verdicts = await Promise.all(
      [...tamperings(request.header)].map(async ({ name, bytes }) => [
        name,
        await refusalOf(() => open({ ...request, header: bytes as Bytes })),
      ]),
    );
    expect(verdicts.filter(([, code]) => code === 'accepted')).toEqual([]);
    const header = encodeRequestHeader(sampleHeader({ model: 'other' }));
    expect(await refusalOf(() => open({ ...request, header }))).toBe('open-failed');
    expect(await refusalOf(() => open(request))).toBe('accepted');
  });

  test('every change of the wrapped key, and changes all over body and encapsulation', async () => {
    const request = await seal();
    const [recipient] = request.recipients;
    const codes = new Set<string>();
    for (const { bytes } of tamperings(recipient!.wrappedKey)) {
      codes.add(
        await refusalOf(() => open({ ...request, recipients: [{ ...recipient!, wrappedKey: bytes as Bytes }] })),
      );
    }
    for (let place = 0; place < recipient!.encapsulation.length; place += 37) {
      const encapsulation = recipient!.encapsulation.slice();
      encapsulation[place]! ^= 1;
      codes.add(await refusalOf(() => open({ ...request, recipients: [{ ...recipient!, encapsulation }] })));
    }
    for (let place = 0; place < request.body.length; place += 37) {
      const body = request.body.slice();
      body[place]! ^= 1;
      codes.add(await refusalOf(() => open({ ...request, body })));
    }
    expect([...codes]).toEqual(['open-failed']);
    expect(await refusalOf(() => open({ ...request, body: request.body.slice(0, 39) }))).toBe('malformed');
    const longest = 16 * 1024 * 1024 + 1024;
    expect(await refusalOf(() => open({ ...request, body: new Uint8Array(longest) }))).toBe('open-failed');
    expect(await refusalOf(() => open({ ...request, body: new Uint8Array(longest + 1) }))).toBe('malformed');
    expect(await refusalOf(() => open(request))).toBe('accepted');
  });

  test('parts of two requests put together', async () => {
    const [first, second] = [await seal(), await seal()];
    const { header, body, recipients } = second;
    expect(await refusalOf(() => open({ ...first, header }))).toBe('open-failed');
    expect(await refusalOf(() => open({ ...first, body }))).toBe('open-failed');
    expect(await refusalOf(() => open({ ...first, recipients }))).toBe('open-failed');
    expect(await refusalOf(() => open(second))).toBe('accepted');
  });

  test("one recipient's wrapping under another's name", async () => {
    const other = generateEnclaveKeyPair();
    const request = await seal({ recipients: [pair.publicKey, other.publicKey] });
    const [mine, theirs] = request.recipients;
    const swapped = { ...request, recipients: [{ ...theirs!, keyId: mine!.keyId }] };
    expect(await refusalOf(() => open(swapped))).toBe('open-failed');
  });

  test.each([
    ['another format', { format: 2 }],
    ['a field too many', { extra: 1 }],
    ['no messages', { messages: [] }],
    ['another role', { messages: [{ role: 'tool', text: '' }] }],
    ['a short turn key', { turnKey: 'AAAA' }],
    ['a temperature above 2', { parameters: { temperature: 3 } }],
    ['an unknown parameter', { parameters: { seed: 1 } }],
  ])('content with %s', async (_name, content) => {
    expect(await refusalOf(async () => open(await seal({ content })))).toBe('malformed');
    expect(await refusalOf(async () => open(await seal()))).toBe('accepted');
  });

  test('plaintext in place of a sealed body (M35)', async () => {
    const request = await seal();
    const body = new TextEncoder().encode(JSON.stringify(sampleContent() satisfies RequestContent));
    expect(await refusalOf(() => open({ ...request, body: new Uint8Array(body) }))).toBe('open-failed');
  });
});

describe('sealRequest refuses', () => {
  test.each([
    ['no recipient', () => seal({ recipients: [] })],
    ['five recipients', () => seal({ recipients: Array.from({ length: 5 }, () => pair.publicKey) })],
    ['a short public key', () => seal({ recipients: [pair.publicKey.slice(1)] })],
    ['a short turn id', () => seal({ header: { turnId: randomBytes(15) } })],
    ['no model', () => seal({ header: { model: '' } })],
    ['a model with a line break', () => seal({ header: { model: 'a\nb' } })],
    ['a model of 129 letters', () => seal({ header: { model: 'm'.repeat(129) } })],
    ['a negative expiry', () => seal({ header: { expiresAtMs: -1 } })],
  ])('%s', async (_name, action) => {
    expect(await refusalOf(action)).toBe('invalid-argument');
    expect(await refusalOf(() => seal({ header: { model: 'm'.repeat(128) } }))).toBe('accepted');
  });

  test('a request above 16 MiB', async () => {
    const messages = Array.from({ length: 9 }, () => ({ role: 'user', text: 'a'.repeat(2_000_000) }));
    expect(await refusalOf(() => seal({ content: { messages } }))).toBe('too-long');
  });
});
