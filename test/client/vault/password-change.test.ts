import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceLab } from '../../parts/device-lab.ts';
import { storeConversation } from '../../parts/tamper.ts';

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
    const session = await fake.tab.refusal(fake.tab.vault.changePassword({ newPassword: 'short' }));
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
      void fake.tab.vault.changePassword({ newPassword: 'Whatever the impostor wants 1' }).catch(() => undefined);
      return new Response(await fakeStart, { headers: { 'content-type': 'application/json' } });
    };
    const newPassword = 'An entirely new lighthouse 78!';
    expect(await tab.refusal(tab.vault.changePassword({ newPassword }))).toEqual({ code: 'server-key-changed' });
    profile.intercept = null;
    await tab.vault.changePassword({ newPassword });
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
    await tab.vault.changePassword({ newPassword });
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
    await tab.vault.changePassword({ newPassword });
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
    await tab.vault.changePassword({ newPassword });
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
    const refused = await tab.refusal(tab.vault.changePassword({ newPassword }));
    expect(refused).toEqual({ code: 'relay:internal-error' });
    const later = await lab.profile().openTab();
    await later.vault.signIn(person);
    expect(later.status).toBe('unlocked');
  });
});
