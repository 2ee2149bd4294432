import { beforeAll, describe, expect, test } from 'vitest';
import { verifyKeyStatement } from '../../../crypto/evidence/key-statement.ts';
import type { RequestHeader } from '../../../crypto/protocol/messages/request-header.ts';
import { aeadReady } from '../../../crypto/primitives/aead.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { encodeUtf8, randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { keyIdOf } from '../../../crypto/primitives/key-id.ts';
import { generateEnclaveKeyPair } from '../../../crypto/turn/hybrid-kem.ts';
import { hashRequest, type SealedRequest, sealRequest, toMessage } from '../../../crypto/turn/sealed-request.ts';
import { KeyHolder } from '../../../enclave-worker/keys/key-holder.ts';
import { keyLifetimeMs, keyRotationMs } from '../../../enclave-worker/keys/key-rotation.ts';
import { ReplayGuard } from '../../../enclave-worker/keys/replay-guard.ts';
import { sampleContent, sampleHeader } from '../../crypto/turn/sample-turn.ts';

beforeAll(aeadReady);

const startMs = 1_795_000_000_000;
const models = ['model-a'];

class Enclave {
  nowMs = startMs;
  readonly holder: KeyHolder;

  constructor(guard: ReplayGuard = new ReplayGuard()) {
    this.holder = new KeyHolder({ nowMs: () => this.nowMs, guard });
  }

  sign(nonce: Bytes = randomBytes(32)) {
    const order = {
      nonce: toBase64Url(nonce),
      model: 'model-a',
      weightsDigest: null,
      engine: 'rehearsal',
      abilities: null,
    } as const;
    const signed = this.holder.sign(order);
    return { ...signed, value: verifyKeyStatement({ ...signed, nonce }) };
  }

  get publicKey(): Bytes {
    return this.sign().publicKeys[0]!;
  }

  seal(header: Partial<RequestHeader> = {}, publicKey: Bytes = this.publicKey): Promise<SealedRequest> {
    return sealRequest({
      header: sampleHeader({ model: 'model-a', expiresAtMs: this.nowMs + 300_000, ...header }),
      content: sampleContent(),
      recipients: [publicKey],
    });
  }

  open(request: SealedRequest | Uint8Array) {
    const body =
      request instanceof Uint8Array
        ? new Uint8Array(request)
        : encodeUtf8(
            JSON.stringify({ format: 1, streamId: toBase64Url(new Uint8Array(16)), request: toMessage(request) }),
          );
    return this.holder.open({ body, models });
  }

  async codeOf(request: SealedRequest | Uint8Array): Promise<string> {
    const answer = await this.open(request);
    return answer.type === 'refused' ? answer.code : answer.type;
  }
}

describe('KeyHolder.open', () => {
  test('gives header and content of a request once, and knows it the second time (M32)', async () => {
    const enclave = new Enclave();
    const request = await enclave.seal();
    const opened = await enclave.open(request);
    expect(opened).toMatchObject({
      type: 'opened',
      model: 'model-a',
      frameClass: 'chat',
      requestHash: hashRequest(request),
    });
    expect(await enclave.codeOf(request)).toBe('known');
  });

  test('knows the same request even when both copies are opened at once', async () => {
    const enclave = new Enclave();
    const request = await enclave.seal();
    const types = await Promise.all([enclave.codeOf(request), enclave.codeOf(request), enclave.codeOf(request)]);
    expect(types.toSorted()).toEqual(['known', 'known', 'opened']);
  });

  test('refuses another request under a known turn id, also when both are opened at once', async () => {
    const enclave = new Enclave();
    const header = sampleHeader({ model: 'model-a', expiresAtMs: startMs + 1000 });
    const [first, second] = [await enclave.seal(header), await enclave.seal(header)];
    const types = await Promise.all([enclave.codeOf(first), enclave.codeOf(second)]);
    expect(types.toSorted()).toEqual(['opened', 'request-replayed']);
  });

  test('refuses expired requests by its own clock, beside one that has a millisecond left', async () => {
    const enclave = new Enclave();
    expect(await enclave.codeOf(await enclave.seal({ expiresAtMs: startMs }))).toBe('request-expired');
    expect(await enclave.codeOf(await enclave.seal({ expiresAtMs: startMs + 1 }))).toBe('opened');
  });

  test('refuses with one and the same code whatever keeps a request from opening (M37)', async () => {
    const enclave = new Enclave();
    const request = await enclave.seal();
    const [recipient] = request.recipients;
    const flip = (bytes: Bytes, place: number) => {
      const changed = bytes.slice();
      changed[place]! ^= 1;
      return changed;
    };
    const variants: SealedRequest[] = [
      { ...request, body: flip(request.body, 0) },
      { ...request, body: flip(request.body, request.body.length - 1) },
      { ...request, body: request.body.slice(0, 30) },
      { ...request, header: flip(request.header, 0) },
      { ...request, header: flip(request.header, 1) },
      { ...request, header: flip(request.header, 5) },
      { ...request, recipients: [{ ...recipient!, wrappedKey: flip(recipient!.wrappedKey, 0) }] },
      { ...request, recipients: [{ ...recipient!, encapsulation: flip(recipient!.encapsulation, 500) }] },
      { ...request, header: request.header.slice(1) },
    ];
    expect(new Set(await Promise.all(variants.map((variant) => enclave.codeOf(variant))))).toEqual(
      new Set(['request-refused']),
    );
    const malformed = await sealRequest({
      header: sampleHeader({ model: 'model-a', expiresAtMs: startMs + 1000 }),
      content: sampleContent({ parameters: { temperature: 9 } }),
      recipients: [enclave.publicKey],
    });
    expect(await enclave.codeOf(malformed)).toBe('request-refused');
    expect(await enclave.codeOf(request)).toBe('opened');
  });

  test('a request that did not open is not remembered: the turn id is still free', async () => {
    const enclave = new Enclave();
    const request = await enclave.seal();
    expect(await enclave.codeOf({ ...request, body: request.body.slice(0, 50) })).toBe('request-refused');
    expect(await enclave.codeOf(request)).toBe('opened');
  });

  test('refuses unknown keys and unknown models alike', async () => {
    const enclave = new Enclave();
    expect(await enclave.codeOf(await enclave.seal({}, generateEnclaveKeyPair().publicKey))).toBe('unknown-key');
    expect(await enclave.codeOf(await enclave.seal({ model: 'model-b' }))).toBe('unknown-key');
  });

  test('refuses bodies that are no such message', async () => {
    const enclave = new Enclave();
    const request = toMessage(await enclave.seal());
    const streamId = toBase64Url(new Uint8Array(16));
    const bodies: [string, unknown][] = [
      ['no JSON', '{'],
      ['null', null],
      ['another format', { format: 2, streamId, request }],
      ['a field too many', { format: 1, streamId, request, more: 1 }],
      ['no recipients', { format: 1, streamId, request: { ...request, recipients: [] } }],
      ['a body that is no text', { format: 1, streamId, request: { ...request, body: 7 } }],
    ];
    for (const [name, body] of bodies) {
      const bytes = encodeUtf8(typeof body === 'string' ? body : JSON.stringify(body));
      expect([name, await enclave.codeOf(bytes)]).toEqual([name, 'bad-request']);
    }
    expect(await enclave.codeOf(Uint8Array.of(0xff, 0xfe))).toBe('bad-request');
    expect(await enclave.codeOf(encodeUtf8(JSON.stringify({ format: 1, streamId, request })))).toBe('opened');
  });

  test('takes nothing more when its memory is full, and takes again when a key was destroyed', async () => {
    const enclave = new Enclave(new ReplayGuard(2));
    const [first, second] = [await enclave.seal(), await enclave.seal()];
    expect(await enclave.codeOf(first)).toBe('opened');
    expect(await enclave.codeOf(second)).toBe('opened');
    expect(await enclave.codeOf(await enclave.seal())).toBe('enclave-busy');
    expect(await enclave.codeOf(first)).toBe('known');
    enclave.nowMs += keyLifetimeMs;
    expect(await enclave.codeOf(await enclave.seal())).toBe('opened');
  });
});

describe('keys of an enclave', () => {
  test('change each hour with an hour of overlap, under one identity', () => {
    const enclave = new Enclave();
    const first = enclave.sign();
    expect(first.value.keys).toEqual([
      { keyId: toBase64Url(keyIdOf(first.publicKeys[0]!)), notAfterMs: startMs + keyLifetimeMs },
    ]);
    enclave.nowMs += keyRotationMs - 1;
    expect(enclave.sign().publicKeys).toEqual(first.publicKeys);
    enclave.nowMs += 1;
    const second = enclave.sign();
    expect(second.publicKeys).toHaveLength(2);
    expect(second.publicKeys[1]).toEqual(first.publicKeys[0]);
    expect(second.value.issuedAtMs).toBe(startMs + keyRotationMs);
    enclave.nowMs += keyRotationMs;
    const third = enclave.sign();
    expect(third.publicKeys).toHaveLength(2);
    expect(third.publicKeys).not.toContainEqual(first.publicKeys[0]);
    expect(third.identityPublicKey).toEqual(first.identityPublicKey);
  });

  test('open until their time is over, and nothing after: a request from before cannot be replayed', async () => {
    const enclave = new Enclave();
    const oldKey = enclave.publicKey;
    const expiresAtMs = startMs + 10 * keyLifetimeMs;
    const [inTime, late] = [await enclave.seal({ expiresAtMs }, oldKey), await enclave.seal({ expiresAtMs }, oldKey)];
    enclave.nowMs += keyLifetimeMs - 1;
    expect(await enclave.codeOf(inTime)).toBe('opened');
    enclave.nowMs += 1;
    expect(await enclave.codeOf(late)).toBe('unknown-key');
    expect(await enclave.codeOf(inTime)).toBe('unknown-key');
    expect(await enclave.codeOf(await enclave.seal())).toBe('opened');
  });
});
