import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { generateIdentityKeyPair } from '../../../../crypto/evidence/key-statement.ts';
import {
  type PossessionPurpose,
  signPossession,
  verifyPossession,
} from '../../../../crypto/evidence/modal/possession.ts';
import { encodeUtf8, fromBase64Url, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import type { EvidenceProblem } from '../../../../enclave-worker/evidence/source/evidence-source.ts';
import { ModalSource } from '../../../../enclave-worker/evidence/modal/modal-source.ts';
import { ModalMachine } from '../../../parts/evidence/modal/modal-machine.ts';

const identity = generateIdentityKeyPair();
const identityToken = 'head.claims.signature';
const lifetimeMs = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

type Body = { identityToken?: string; identityPublicKey: string; challenge: string; signature: string };

/** A registrar on paper, one call after the other. */
class PaperRegistrar {
  readonly machine = new ModalMachine();
  readonly calls: string[] = [];
  readonly problems: EvidenceProblem[] = [];
  /** Answers the next call of this path instead. */
  readonly next = new Map<string, () => Response | Promise<Response>>();
  #challenge = '';

  source(): ModalSource {
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => this.#answer(url, init));
    const source = new ModalSource({
      identityPublicKey: identity.publicKey,
      identityToken: new Secret('IdentityToken', encodeUtf8(identityToken)),
      registrarUrl: 'https://registrar.example/sotto/',
      sign: (challenge, purpose) =>
        Promise.resolve(signPossession({ identitySecretKey: identity.secretKey, challenge, purpose })),
      nowMs: () => Date.now(),
      onProblem: (problem) => this.problems.push(problem),
    });
    source.start();
    return source;
  }

  evidence(identityPublicKey: Uint8Array = identity.publicKey, notAfterMs = Date.now() + lifetimeMs) {
    return this.machine.makeEvidence({ identityPublicKey, statement: { issuedAtMs: Date.now(), notAfterMs } });
  }

  async #answer(url: string, init: RequestInit): Promise<Response> {
    const path = url.replace('https://registrar.example/sotto', '');
    this.calls.push(path);
    const scripted = this.next.get(path);
    this.next.delete(path);
    if (scripted !== undefined) return scripted();
    if (path === '/v1/challenge') {
      this.#challenge = toBase64Url(randomBytes(32));
      return Response.json({ format: 1, challenge: this.#challenge, expiresAtMs: Date.now() + 120_000 });
    }
    const body = JSON.parse(init.body as string) as Body;
    const purpose: PossessionPurpose =
      path === '/v1/register' ? { kind: 'register', identityToken } : { kind: 'renew' };
    const signature = fromBase64Url(body.signature);
    const challenge = fromBase64Url(body.challenge);
    const isHeld = verifyPossession({ identityPublicKey: identity.publicKey, challenge, purpose, signature });
    const token = path === '/v1/register' ? identityToken : undefined;
    const isRight = isHeld && body.identityToken === token && body.challenge === this.#challenge;
    // Not even a right call may be taken elsewhere by a redirect.
    if (!isRight || init.redirect !== 'error') return Response.json({ error: 'possession-refused' }, { status: 401 });
    return Response.json(this.answer());
  }

  answer(evidence = this.evidence()) {
    return { format: 1, evidence, renewableUntilMs: Date.now() + 86_400_000 };
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const refusing = (error: string, status: number) => () => Response.json({ error }, { status });

describe('ModalSource', () => {
  test('registers once, renews at half of each statement’s life, and never sends the token again', async () => {
    const registrar = new PaperRegistrar();
    const source = registrar.source();
    const first = await source.current();
    expect(registrar.calls).toEqual(['/v1/challenge', '/v1/register']);
    await pass(lifetimeMs / 2 - 1000);
    expect(await source.current()).toBe(first);
    await pass(2000);
    expect(await source.current()).not.toBe(first);
    await pass(3 * lifetimeMs);
    expect(source.isReady).toBe(true);
    const asked = registrar.calls.filter((path) => path !== '/v1/challenge');
    expect(asked.filter((path) => path === '/v1/register').length).toBe(1);
    expect(asked.filter((path) => path === '/v1/renew').length).toBeGreaterThanOrEqual(6);
    source.close();
  });

  test('shows what it has while the registrar is away, and nothing after', async () => {
    const registrar = new PaperRegistrar();
    const source = registrar.source();
    await source.current();
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('connect ECONNREFUSED 10.0.0.1')));
    await pass(lifetimeMs - 120_000);
    expect(source.isReady).toBe(true);
    await source.current();
    await pass(61_000);
    expect(source.isReady).toBe(false);
    await expect(source.current()).rejects.toThrow('starting');
    expect(new Set(registrar.problems)).toEqual(new Set(['registrar-unreachable']));
    source.close();
  });

  test('a key that the registrar has forgotten is registered again', async () => {
    const registrar = new PaperRegistrar();
    const source = registrar.source();
    await source.current();
    registrar.next.set('/v1/renew', refusing('not-registered', 404));
    await pass(lifetimeMs / 2 + 1000);
    expect(registrar.calls.filter((path) => path !== '/v1/challenge')).toEqual([
      '/v1/register',
      '/v1/renew',
      '/v1/register',
    ]);
    expect(source.isReady).toBe(true);
    source.close();
  });

  test('a token that was used, perhaps by an answer that was lost, is renewed and not sent again', async () => {
    const registrar = new PaperRegistrar();
    registrar.next.set('/v1/register', () => Promise.reject(new TypeError('socket hang up')));
    const source = registrar.source();
    await expect(source.current()).rejects.toThrow('starting');
    await pass(3000);
    await source.current();
    expect(registrar.calls.filter((path) => path !== '/v1/challenge')).toEqual(['/v1/register', '/v1/renew']);
    source.close();
  });

  test.each([
    ['refuses', refusing('wrong-deployment', 403), 'registrar-refused'],
    ['has no keys of Modal', refusing('issuer-unreachable', 503), 'registrar-unreachable'],
    ['is a proxy without one behind it', () => new Response('Bad gateway', { status: 502 }), 'registrar-unreachable'],
    ['is something else', () => new Response('<html>', { status: 404 }), 'registrar-refused'],
    ['says nothing that can be read', () => new Response('{"format":1}'), 'malformed'],
    ['says too much', () => new Response('x'.repeat(70_000)), 'too-large'],
  ] as const)('a registrar that %s gives no evidence', async (_name, answer, problem) => {
    const registrar = new PaperRegistrar();
    registrar.next.set('/v1/register', answer);
    const source = registrar.source();
    await expect(source.current()).rejects.toThrow('starting');
    expect(registrar.problems).toEqual([problem]);
    expect(source.isReady).toBe(false);
    source.close();
  });

  test.each([
    ['another identity', (registrar: PaperRegistrar) => registrar.evidence(randomBytes(32))],
    ['a time that is over', (registrar: PaperRegistrar) => registrar.evidence(identity.publicKey, Date.now() - 1)],
    [
      'another identity inside',
      (registrar: PaperRegistrar) => ({
        ...registrar.evidence(randomBytes(32)),
        identityPublicKey: toBase64Url(identity.publicKey),
      }),
    ],
  ])('a statement about %s is not shown', async (_name, make) => {
    const registrar = new PaperRegistrar();
    registrar.next.set('/v1/register', () => Response.json(registrar.answer(make(registrar))));
    const source = registrar.source();
    await expect(source.current()).rejects.toThrow('starting');
    expect(registrar.problems).toEqual(['malformed']);
    source.close();
  });
});
