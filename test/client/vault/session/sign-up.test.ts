import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Secret } from '../../../../crypto/protocol/bytes/secret.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { jsonResponse, pathOf } from '../../../parts/relay/tamper.ts';
import { inventPerson } from '../../../parts/users/person.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

describe('sign-up', () => {
  it('begins signed out, gives 24 words and ends unlocked', async () => {
    const tab = await lab.profile().openTab();
    // On a busy machine the relay seems silent before the vault has begun.
    const [first] = tab.events.filter(({ type }) => type !== 'connection');
    expect(first).toEqual({ type: 'session', status: 'signed-out', needsNewPassword: false });
    const { recoveryWords } = await tab.vault.beginSignUp(inventPerson());
    expect(recoveryWords).toHaveLength(24);
    expect(tab.status).toBe('signed-out');
    await tab.vault.finishSignUp();
    expect(tab.status).toBe('unlocked');
  });

  it('makes no request before anything is asked of it', async () => {
    // On a busy machine the parts of the vault come late, and a relay that seems silent would be asked whether it is there.
    const profile = lab.profile({ haste: 0.05 });
    await profile.openTab();
    expect(profile.requests).toEqual([]);
  });

  it.each(['short', 'aaaaaaaaaaaaaaaaaa', 'abcdefghijklmnop', '12345678901234', 'Password1234!', 'qwertyuiop123'])(
    'refuses the password %s in the Worker, whatever the page shows',
    async (password) => {
      const tab = await lab.profile().openTab();
      const { userName } = inventPerson();
      expect(await tab.refusal(tab.vault.beginSignUp({ userName, password }))).toEqual({ code: 'weak-password' });
    },
  );

  it('refuses a password that is mostly the user name', async () => {
    const tab = await lab.profile().openTab();
    const { userName } = inventPerson();
    const password = `${userName}-2026`;
    expect(await tab.refusal(tab.vault.beginSignUp({ userName, password }))).toEqual({ code: 'weak-password' });
  });

  it('refuses a name that is taken, and one that is none', async () => {
    const { person } = await lab.signUp();
    const tab = await lab.profile().openTab();
    const input = { ...inventPerson(), userName: person.userName };
    expect(await tab.refusal(tab.vault.beginSignUp(input))).toEqual({ code: 'name-taken' });
    const unusable = { ...inventPerson(), userName: '<script>' };
    expect(await tab.refusal(tab.vault.beginSignUp(unusable))).toEqual({ code: 'invalid-user-name' });
  });

  it('does not end in the account of somebody who has the same password, whom the relay lets in instead', async () => {
    const stranger = await lab.signUp();
    const profile = lab.profile();
    const tab = await profile.openTab();
    await tab.vault.beginSignUp({ ...inventPerson(), password: stranger.person.password });
    const nameTagOfStranger = (
      JSON.parse(stranger.profile.requests.find(({ path }) => path === '/v1/sign-up/start')?.body ?? '{}') as {
        nameTag: string;
      }
    ).nameTag;
    const sent: Request[] = [];
    profile.intercept = async (request, next) => {
      const path = pathOf(request);
      if (path === '/v1/sign-up/finish') {
        sent.push(request);
        if (sent.length > 1) return jsonResponse({ error: 'name-taken' }, 409);
        throw new TypeError('Failed to fetch');
      }
      if (path !== '/v1/sign-in/start') return next(request);
      const body = JSON.stringify({ ...((await request.json()) as object), nameTag: nameTagOfStranger });
      return next(new Request(request.url, { method: 'POST', headers: request.headers, body }));
    };
    expect(await tab.refusal(tab.vault.finishSignUp())).toEqual({ code: 'relay-unreachable' });
    expect(await tab.refusal(tab.vault.finishSignUp())).toEqual({ code: 'name-taken' });
    expect(tab.status).toBe('signed-out');
    profile.intercept = null;
    await tab.vault.finishSignUp();
    expect(tab.status).toBe('unlocked');
  });

  it.each([
    ['was lost', () => Promise.reject(new TypeError('Failed to fetch')), 'relay-unreachable'],
    ['was replaced by a proxy', async () => new Response('<h1>Blocked</h1>', { status: 403 }), 'foreign-answer'],
    ['was replaced by another product', async () => jsonResponse({ status: 'ok' }), 'malformed-answer'],
  ])('finishes when the answer %s and the account is there after all', async (_what, answer, code) => {
    const profile = lab.profile();
    const tab = await profile.openTab();
    const person = inventPerson();
    await tab.vault.beginSignUp(person);
    profile.intercept = async (request, next) => {
      const response = await next(request);
      if (!request.url.endsWith('/v1/sign-up/finish')) return response;
      return answer();
    };
    expect(await tab.refusal(tab.vault.finishSignUp())).toEqual({ code });
    profile.intercept = null;
    await tab.vault.finishSignUp();
    expect(tab.status).toBe('unlocked');
  });

  it("does not take somebody else's account for its own when the name went to them meanwhile", async () => {
    const slow = await lab.profile().openTab();
    const person = inventPerson();
    await slow.vault.beginSignUp(person);
    const quick = await lab.profile().openTab();
    await quick.vault.beginSignUp({ ...inventPerson(), userName: person.userName });
    await quick.vault.finishSignUp();
    expect(await slow.refusal(slow.vault.finishSignUp())).toEqual({ code: 'name-taken' });
    expect(slow.status).toBe('signed-out');
  });

  it('forgets what was prepared when it is cancelled', async () => {
    const tab = await lab.profile().openTab();
    await tab.vault.beginSignUp(inventPerson());
    await tab.vault.cancelSignUp();
    expect(await tab.refusal(tab.vault.finishSignUp())).toEqual({ code: 'sign-up-lapsed' });
  });
});

describe('secrets that are only passed through', () => {
  it('are wiped: export key, key-encryption key, recovery entropy and signing seed', async () => {
    const wiped = new Map<string, number>();
    const spy = vi.spyOn(Secret.prototype, 'wipe').mockImplementation(function wipe(this: Secret<string>) {
      wiped.set(this.secretName, (wiped.get(this.secretName) ?? 0) + 1);
      this.expose().fill(0);
    });
    try {
      const { person } = await lab.signUp();
      const atSignUp = Object.fromEntries(wiped);
      expect(atSignUp).toMatchObject({ ExportKey: 1, KeyEncryptionKey: 2, RecoveryEntropy: 1, RecoverySigningSeed: 1 });
      wiped.clear();
      const { tab } = await lab.signIn(person);
      expect(Object.fromEntries(wiped)).toMatchObject({ ExportKey: 1, KeyEncryptionKey: 1 });
      wiped.clear();
      const recovering = await lab.profile().openTab();
      await recovering.vault.signIn({ by: 'phrase', userName: person.userName, words: person.recoveryWords.join(' ') });
      expect(Object.fromEntries(wiped)).toMatchObject({ KeyEncryptionKey: 1, RecoveryEntropy: 1 });
      // Kept for the choice of a new password, and no longer than the tab is unlocked.
      expect(wiped.get('RecoverySigningSeed')).toBeUndefined();
      await recovering.vault.lock();
      expect(wiped.get('RecoverySigningSeed')).toBe(1);
      expect(tab.status).toBe('unlocked');
    } finally {
      spy.mockRestore();
    }
  });
});
