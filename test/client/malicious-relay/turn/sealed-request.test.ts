/* oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-assignment, typescript/no-unsafe-argument -- what a lying relay says has no type. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { changeRequest, flip, pathOf } from '../../../parts/relay/tamper.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

type SealedRequest = { readonly body: string; readonly recipients: readonly { readonly encapsulation: string }[] };

describe('a sealed request', () => {
  it.each<[string, number]>([
    ['version', 0],
    ['suite', 1],
    ['frame class', 2],
    ['turn id', 10],
    ['expiry', 24],
    ['model', 30],
  ])('M33 whose %s was changed outside the seal is not answered', async (_name, place) => {
    const { tab, profile } = await lab.openChat();
    const asked = lab.upstream.requests.length;
    profile.intercept = changeRequest(/^\/v1\/turns/, (body) => {
      body.request.header = flip(body.request.header, place);
    });
    const { turnId } = await tab.ask('Unchanged?');
    await tab.until(() => tab.stateOf(turnId) === 'unsent' || tab.stateOf(turnId) === 'missing');
    expect(lab.upstream.requests.length).toBe(asked);
    profile.intercept = null;
    const again = await tab.ask('Unchanged!');
    expect((await tab.ended(again.turnId)).text).toBe('In a low voice.');
  });

  it('M33 whose body or wrapped key was changed is not answered', async () => {
    for (const part of ['body', 'wrappedKey'] as const) {
      const { tab, profile } = await lab.openChat();
      const asked = lab.upstream.requests.length;
      profile.intercept = changeRequest(/^\/v1\/turns/, (body) => {
        if (part === 'body') body.request.body = flip(body.request.body);
        else body.request.recipients[0].wrappedKey = flip(body.request.recipients[0].wrappedKey);
      });
      const { turnId } = await tab.ask('Unchanged?');
      await tab.until(() => tab.stateOf(turnId) === 'unsent');
      expect(tab.answer(turnId).state).toMatchObject({ failure: { code: 'relay:request-refused' } });
      expect(lab.upstream.requests.length).toBe(asked);
    }
  });

  it('M32 that a relay sends once more is answered once', async () => {
    const { tab, profile } = await lab.openChat();
    const asked = lab.upstream.requests.length;
    let replayed: Promise<Response> | null = null;
    profile.intercept = async (request, next) => {
      const copy = request.clone();
      const response = await next(request);
      if (pathOf(request) === '/v1/turns' && replayed === null) {
        const { turnId, batch: _batch, ...attempt } = (await copy.json()) as { turnId: string; batch: unknown };
        const url = new URL(`/v1/turns/${turnId}/attempts`, request.url);
        replayed = next(new Request(url, { method: 'POST', headers: request.headers, body: JSON.stringify(attempt) }));
        await replayed;
      }
      return response;
    };
    const { turnId } = await tab.ask('Once?');
    expect((await tab.ended(turnId)).text).toBe('In a low voice.');
    expect(lab.upstream.requests.length - asked).toBe(1);
  });

  it('M36 is never sealed twice to the same bytes: each retry has its own key and nonce', async () => {
    const { tab, profile } = await lab.openChat();
    profile.intercept = async (request, next) => {
      const isFirst = profile.sentTurns.length < 4;
      if (!pathOf(request).startsWith('/v1/turns') || request.method !== 'POST' || !isFirst) return next(request);
      throw new TypeError('Failed to fetch');
    };
    const { turnId } = await tab.ask('Again and again?');
    await tab.ended(turnId);
    const sealed = profile.sentTurns.map(({ body }) => (JSON.parse(body) as { request: SealedRequest }).request);
    expect(sealed.length).toBeGreaterThanOrEqual(4);
    const nonces = sealed.map(({ body }) => toBase64Url(fromBase64Url(body).subarray(0, 24)));
    expect(new Set(nonces).size).toBe(sealed.length);
    expect(new Set(sealed.map(({ recipients }) => recipients[0]?.encapsulation)).size).toBe(sealed.length);
  });
});
