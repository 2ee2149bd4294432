import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BrowserProfile } from '../../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../../../parts/users/vaults/device-lab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

const isBatch = ({ method, path }: { readonly method: string; readonly path: string }) =>
  method === 'POST' && path === '/v1/items';

const batchesOf = (profile: BrowserProfile) => profile.requests.filter(isBatch).length;

/** Every batch is answered with this; null: it does not arrive. */
function refuse(profile: BrowserProfile, refusal: readonly [status: number, code: string] | null): void {
  profile.intercept = async (request, next) => {
    if (!isBatch({ method: request.method, path: new URL(request.url).pathname })) return next(request);
    if (refusal === null) throw new TypeError('Failed to fetch');
    const [status, code] = refusal;
    return new Response(JSON.stringify({ error: code }), { status, headers: { 'content-type': 'application/json' } });
  };
}

describe('a batch that the relay refuses', () => {
  it.each([
    [400, 'bad-request', 'not-stored'],
    [400, 'unsupported-version', 'not-stored'],
    [413, 'too-large', 'not-stored'],
    [507, 'quota-exceeded', 'quota-exceeded'],
  ] as const)('for good, with %i %s: said once, tried again, and said again next time', async (status, code, alarm) => {
    const { person, profile, tab } = await lab.signUp();
    const second = await lab.signIn(person);
    for (const theme of ['dark', 'light'] as const) {
      refuse(profile, [status, code]);
      const [tries, alarms] = [batchesOf(profile), tab.alarms.length];
      await tab.vault.setTheme({ theme });
      await tab.until(() => batchesOf(profile) >= tries + 3);
      expect(tab.alarms.slice(alarms)).toEqual([alarm]);
      profile.intercept = null;
      await second.tab.until(() => second.tab.theme === theme);
    }
    expect(second.tab.alarms).toEqual([]);
  });

  it('for good, with several tabs open: said once in each of them, though all try and read in between', async () => {
    const { person, profile, tab } = await lab.signUp();
    const second = await lab.signIn(person);
    const tabs = [tab, await profile.openTab(), await profile.openTab()];
    for (const theme of ['dark', 'light'] as const) {
      refuse(profile, [507, 'quota-exceeded']);
      const tries = batchesOf(profile);
      const before = tabs.map(({ alarms }) => alarms.length);
      await tab.vault.setTheme({ theme });
      await tab.until(() => batchesOf(profile) >= tries + 9);
      expect(tabs.map(({ alarms }, index) => alarms.slice(before[index]))).toEqual(tabs.map(() => ['quota-exceeded']));
      profile.intercept = null;
      await second.tab.until(() => second.tab.theme === theme);
      await Promise.all(tabs.map((each) => each.until(() => each.theme === theme)));
    }
  });

  it.each([
    { refusal: [503, 'not-ready'] },
    { refusal: [429, 'too-many-requests'] },
    { refusal: [500, 'internal-error'] },
    { refusal: null },
  ] as const)('for now, with $refusal: tried again without a word', async ({ refusal }) => {
    const { profile, tab } = await lab.signUp();
    refuse(profile, refusal);
    await tab.vault.setTheme({ theme: 'dark' });
    await tab.until(() => batchesOf(profile) >= 3);
    expect(tab.alarms).toEqual([]);
  });
});
