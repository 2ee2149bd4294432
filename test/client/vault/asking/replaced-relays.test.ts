import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonResponse, pathOf } from '../../../parts/relay/tamper.ts';
import type { BrowserProfile, Interceptor } from '../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

const firstCall = /^\/v1\/turns$/;
const laterCall = /^\/v1\/turns\/[^/]+\/attempts$/;

/** A relay of before statements of format 2 answers these calls: it knows no member `statement`. */
function older(path: RegExp): Interceptor {
  return async (request, next) => {
    if (request.method !== 'POST' || !path.test(pathOf(request))) return next(request);
    const body = (await request.clone().json()) as object;
    return 'statement' in body ? jsonResponse({ error: 'bad-request' }, 400) : next(request);
  };
}

const postedTo = ({ sentTurns }: BrowserProfile, path: RegExp) =>
  sentTurns
    .filter((sent) => path.test(sent.path))
    .map(({ body }) => JSON.parse(body) as { readonly statement?: number; readonly request: unknown });

describe('while relays are replaced, a question whose enclave a newer relay showed', () => {
  it('goes to an older one as the same sealed request, without the wish that it does not know', async () => {
    const { profile, tab } = await lab.openChat();
    profile.intercept = older(firstCall);
    const { turnId } = await tab.ask('Who is there?');
    expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'complete' });
    const [refused, taken, ...others] = postedTo(profile, firstCall);
    expect([refused?.statement, taken?.statement, others]).toEqual([2, undefined, []]);
    expect(taken?.request).toEqual(refused?.request);
  });

  it('goes to an older one also as a further request of a turn that is stored', async () => {
    const { profile, tab } = await lab.openChat();
    await lab.killWorker();
    await lab.startWorker();
    profile.intercept = older(laterCall);
    const { turnId } = await tab.ask('And now?');
    expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'complete' });
    expect(postedTo(profile, firstCall).map(({ statement }) => statement)).toEqual([2]);
    expect(postedTo(profile, laterCall).map(({ statement }) => statement)).toEqual([2, undefined]);
  });

  it('is refused once by a relay that refuses it without the wish too', async () => {
    const { profile, tab } = await lab.openChat();
    profile.intercept = async (request, next) =>
      request.method === 'POST' && firstCall.test(pathOf(request))
        ? jsonResponse({ error: 'bad-request' }, 400)
        : next(request);
    const { turnId } = await tab.ask('Nobody?');
    expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'unsent', failure: { code: 'relay:bad-request' } });
    expect(postedTo(profile, firstCall)).toHaveLength(2);
  });
});
