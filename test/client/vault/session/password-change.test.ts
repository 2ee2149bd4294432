import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceLab, proofOf } from '../../../parts/users/vaults/device-lab.ts';
import { storeConversation } from '../../../parts/relay/tamper.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

describe('a password change', () => {
  it('is refused when the relay registers under another OPAQUE key than the account knows (M5)', async () => {
    const { person, profile, tab } = await lab.signUp();
    await using impostor = await DeviceLab.open({ worker: false });
    const fake = await impostor.signUp();
    const session = await fake.tab.refusal(
      fake.tab.vault.changePassword({ newPassword: 'short', proof: proofOf(fake.person) }),
    );
    expect(session).toEqual({ code: 'weak-password' });
    const fakeStart = new Promise<string>((resolve) => {
      fake.profile.intercept = async (request, next) => {
        const response = await next(request);
        if (request.url.endsWith('/v1/password/start')) resolve(await response.clone().text());
        return response;
      };
    });
    profile.intercept = async (request, next) => {
      if (!request.url.endsWith('/v1/password/start')) return next(request);
      // The impostor answers the very registration request of this client under its own key.
      const { registrationRequest } = (await request.json()) as { registrationRequest: string };
      const asked = fake.profile;
      const { intercept } = asked;
      asked.intercept = async (own, onward) => {
        if (!own.url.endsWith('/v1/password/start')) return onward(own);
        const replaced = new Request(own.url, {
          method: 'POST',
          headers: own.headers,
          body: JSON.stringify({ format: 1, registrationRequest }),
        });
        return intercept === null ? onward(replaced) : intercept(replaced, onward);
      };
      const ofImpostor = { newPassword: 'Whatever the impostor wants 1', proof: proofOf(fake.person) };
      void fake.tab.vault.changePassword(ofImpostor).catch(() => undefined);
      return new Response(await fakeStart, { headers: { 'content-type': 'application/json' } });
    };
    const newPassword = 'An entirely new lighthouse 78!';
    expect(await tab.refusal(tab.vault.changePassword({ newPassword, proof: proofOf(person) }))).toEqual({
      code: 'server-key-changed',
    });
    profile.intercept = null;
    await tab.vault.changePassword({ newPassword, proof: proofOf(person) });
    const later = await lab.profile().openTab();
    await later.vault.signIn({ ...person, password: newPassword });
    expect(later.status).toBe('unlocked');
  });

  it('holds when its answer was lost', async () => {
    const { person, profile, tab } = await lab.signUp();
    profile.intercept = async (request, next) => {
      const response = await next(request);
      if (request.url.endsWith('/v1/password/finish')) throw new TypeError('Failed to fetch');
      return response;
    };
    const newPassword = 'An entirely new lighthouse 79!';
    await tab.vault.changePassword({ newPassword, proof: proofOf(person) });
    const later = await lab.profile().openTab();
    await later.vault.signIn({ ...person, password: newPassword });
    expect(later.status).toBe('unlocked');
  });

  it('meets the writes of another device and holds', async () => {
    const { person, profile, tab } = await lab.signUp();
    const other = await lab.signIn(person);
    const stored = new Promise<void>((resolve) => {
      other.profile.intercept = async (request, next) => {
        const response = await next(request);
        if (request.url.endsWith('/v1/items')) resolve();
        return response;
      };
    });
    let writes = 0;
    profile.intercept = async (request, next) => {
      if (request.url.endsWith('/v1/password/finish') && (writes += 1) === 1) {
        await other.tab.vault.setTheme({ theme: 'dark' });
        await stored;
      }
      return next(request);
    };
    const newPassword = 'An entirely new lighthouse 80!';
    await tab.vault.changePassword({ newPassword, proof: proofOf(person) });
    expect(writes).toBeGreaterThan(1);
    const later = await lab.profile().openTab();
    await later.vault.signIn({ ...person, password: newPassword });
    await later.until(() => later.theme === 'dark');
  });

  it.each([
    ['was lost', () => Promise.reject(new TypeError('Failed to fetch'))],
    ['could not be read', async () => new Response('no JSON', { headers: { 'content-type': 'application/json' } })],
    ['spoke of an error inside', async () => Response.json({ error: 'internal-error' }, { status: 500 })],
  ])('holds when its answer %s and another device wrote on top of it', async (_, answer) => {
    const { person, profile, tab } = await lab.signUp();
    const newPassword = 'An entirely new lighthouse 81!';
    const written = Promise.withResolvers<void>();
    profile.intercept = async (request, next) => {
      const response = await next(request);
      if (!request.url.endsWith('/v1/password/finish')) return response;
      const other = await lab.signIn({ ...person, password: newPassword });
      await storeConversation(other.tab, 'On top of it');
      written.resolve();
      return answer();
    };
    await tab.vault.changePassword({ newPassword, proof: proofOf(person) });
    await written.promise;
    await tab.until(() => tab.titles().join() === 'On top of it');
    expect(tab.status).toBe('unlocked');
  });

  it('that never reached the relay is said to have failed, and the old password holds', async () => {
    const { person, profile, tab } = await lab.signUp();
    profile.intercept = async (request, next) =>
      request.url.endsWith('/v1/password/finish')
        ? Response.json({ error: 'internal-error' }, { status: 500 })
        : next(request);
    const newPassword = 'An entirely new lighthouse 82!';
    const refused = await tab.refusal(tab.vault.changePassword({ newPassword, proof: proofOf(person) }));
    expect(refused).toEqual({ code: 'relay:internal-error' });
    const later = await lab.profile().openTab();
    await later.vault.signIn(person);
    expect(later.status).toBe('unlocked');
  });

  it('asks for the old password: a wrong one is said to be wrong, changes nothing and ends no session', async () => {
    const { person, profile, tab } = await lab.signUp();
    const newPassword = 'An entirely new lighthouse 83!';
    for (const password of ['not the password at all', newPassword, '']) {
      const wrong = tab.vault.changePassword({ newPassword, proof: { by: 'password', password } });
      expect(await tab.refusal(wrong)).toEqual({ code: 'wrong-password' });
    }
    expect(profile.requests.some(({ path }) => path === '/v1/password/finish')).toBe(false);
    expect(tab.status).toBe('unlocked');
    await tab.vault.changePassword({ newPassword, proof: proofOf(person) });
    const later = await lab.profile().openTab();
    await later.vault.signIn({ ...person, password: newPassword });
    expect(later.status).toBe('unlocked');
  });

  it('takes the recovery phrase in the place of the old password; another account’s is refused', async () => {
    const { person, tab } = await lab.signUp();
    const stranger = (await lab.signUp()).person;
    const newPassword = 'An entirely new lighthouse 84!';
    const change = (words: string) => tab.vault.changePassword({ newPassword, proof: { by: 'phrase', words } });
    expect(await tab.refusal(change('abandon '.repeat(24)))).toMatchObject({ code: 'invalid-phrase' });
    expect(await tab.refusal(change(stranger.recoveryWords.join(' ')))).toEqual({ code: 'relay:proof-failed' });
    expect(tab.status).toBe('unlocked');
    await change(person.recoveryWords.join(' '));
    const later = await lab.profile().openTab();
    await later.vault.signIn({ ...person, password: newPassword });
    expect(later.status).toBe('unlocked');
  });

  it('after a recovery needs nothing more, in that tab, for a quarter of an hour and once', async () => {
    const { person, tab: signedUp } = await lab.signUp();
    const recent = { by: 'recent-phrase' } as const;
    const newPassword = 'An entirely new lighthouse 85!';
    // Who signed in otherwise has shown no phrase.
    expect(await signedUp.refusal(signedUp.vault.changePassword({ newPassword, proof: recent }))).toEqual({
      code: 'proof-needed',
    });
    const profile = lab.profile();
    const tab = await profile.openTab();
    await tab.vault.signIn({ by: 'phrase', userName: person.userName, words: person.recoveryWords.join(' ') });
    const other = await profile.openTab();
    expect(await other.refusal(other.vault.changePassword({ newPassword, proof: recent }))).toEqual({
      code: 'proof-needed',
    });
    profile.monotonicOffsetMs += 14 * 60_000;
    await tab.vault.changePassword({ newPassword, proof: recent });
    expect(await tab.refusal(tab.vault.changePassword({ newPassword, proof: recent }))).toEqual({
      code: 'proof-needed',
    });

    const late = lab.profile();
    const lateTab = await late.openTab();
    await lateTab.vault.signIn({ by: 'phrase', userName: person.userName, words: person.recoveryWords.join(' ') });
    late.monotonicOffsetMs += 16 * 60_000;
    expect(await lateTab.refusal(lateTab.vault.changePassword({ newPassword, proof: recent }))).toEqual({
      code: 'proof-needed',
    });
    const typed = { by: 'phrase', words: person.recoveryWords.join(' ') } as const;
    await lateTab.vault.changePassword({ newPassword, proof: typed });
  });

  it('sends neither the old password nor the phrase', async () => {
    const { person, profile, tab } = await lab.signUp();
    const words = person.recoveryWords.join(' ');
    await tab.vault.changePassword({ newPassword: 'An entirely new lighthouse 86!', proof: proofOf(person) });
    await tab.vault.changePassword({ newPassword: 'An entirely new lighthouse 87!', proof: { by: 'phrase', words } });
    const sent = profile.requests.filter(({ path }) => path === '/v1/password/finish');
    expect(sent.map(({ body }) => (JSON.parse(body) as { proof: { factor: string } }).proof.factor)).toEqual([
      'password',
      'recovery',
    ]);
    const all = JSON.stringify(profile.requests);
    expect(
      [
        person.password,
        ...person.recoveryWords.slice(0, 2).map((_, at) => person.recoveryWords.slice(at * 3, at * 3 + 3).join(' ')),
      ].filter((secret) => all.includes(secret)),
    ).toEqual([]);
  });
});
