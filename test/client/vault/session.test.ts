import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Secret } from '../../../crypto/primitives/secret.ts';
import { DeviceLab, inventPerson } from '../../parts/device-lab.ts';
import { jsonResponse, pathOf } from '../../parts/tamper.ts';
import { readWholeStorage } from '../../parts/read-whole-storage.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

describe('sign-up', () => {
  it('begins signed out, gives 24 words and ends unlocked', async () => {
    const tab = await lab.profile().openTab();
    expect(tab.events[0]).toEqual({ type: 'session', status: 'signed-out', needsNewPassword: false });
    const { recoveryWords } = await tab.vault.beginSignUp(inventPerson());
    expect(recoveryWords).toHaveLength(24);
    expect(tab.status).toBe('signed-out');
    await tab.vault.finishSignUp();
    expect(tab.status).toBe('unlocked');
  });

  it('makes no request before anything is asked of it', async () => {
    const profile = lab.profile();
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

  it('finishes when the answer was lost and the account is there after all', async () => {
    const profile = lab.profile();
    const tab = await profile.openTab();
    const person = inventPerson();
    await tab.vault.beginSignUp(person);
    profile.intercept = async (request, next) => {
      const response = await next(request);
      if (!request.url.endsWith('/v1/sign-up/finish')) return response;
      throw new TypeError('Failed to fetch');
    };
    expect(await tab.refusal(tab.vault.finishSignUp())).toEqual({ code: 'relay-unreachable' });
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
      await recovering.vault.signInWithPhrase({ userName: person.userName, words: person.words.join(' ') });
      expect(Object.fromEntries(wiped)).toMatchObject({
        KeyEncryptionKey: 1,
        RecoveryEntropy: 1,
        RecoverySigningSeed: 1,
      });
      expect(tab.status).toBe('unlocked');
    } finally {
      spy.mockRestore();
    }
  });
});

describe('sign-in', () => {
  it('tells a wrong password and an unknown name in the same code', async () => {
    const { person } = await lab.signUp();
    const tab = await lab.profile().openTab();
    const wrong = tab.vault.signIn({ ...person, password: 'not the password at all' });
    expect(await tab.refusal(wrong)).toEqual({ code: 'sign-in-failed' });
    const unknown = tab.vault.signIn({ ...person, userName: `${person.userName}-nobody` });
    expect(await tab.refusal(unknown)).toEqual({ code: 'sign-in-failed' });
    const empty = tab.vault.signIn({ ...person, password: '' });
    expect(await tab.refusal(empty)).toEqual({ code: 'sign-in-failed' });
    await tab.vault.signIn({ ...person, userName: ` ${person.userName.toUpperCase()} ` });
    expect(tab.status).toBe('unlocked');
  });

  it('by recovery phrase asks for a new password; the old one is refused from then on', async () => {
    const { person } = await lab.signUp();
    const { tab } = { tab: await lab.profile().openTab() };
    const other = { userName: person.userName, words: 'abandon '.repeat(24) };
    expect(await tab.refusal(tab.vault.signInWithPhrase(other))).toEqual({ code: 'invalid-phrase' });
    const foreign = (await lab.signUp()).person;
    const notHers = { userName: person.userName, words: foreign.words.join(' ') };
    expect(await tab.refusal(tab.vault.signInWithPhrase(notHers))).toEqual({ code: 'sign-in-failed' });

    await tab.vault.signInWithPhrase({ userName: person.userName, words: person.words.join('\n').toUpperCase() });
    expect([tab.status, tab.needsNewPassword]).toEqual(['unlocked', true]);
    const newPassword = 'An entirely new lighthouse 77!';
    expect(await tab.refusal(tab.vault.changePassword({ newPassword: 'too short' }))).toEqual({
      code: 'weak-password',
    });
    await tab.vault.changePassword({ newPassword });
    expect([tab.status, tab.needsNewPassword]).toEqual(['unlocked', false]);

    const later = await lab.profile().openTab();
    expect(await later.refusal(later.vault.signIn(person))).toEqual({ code: 'sign-in-failed' });
    await later.vault.signIn({ ...person, password: newPassword });
    expect(later.status).toBe('unlocked');
  });

  it('with a phrase still asks for a new password after a reload', async () => {
    const { person } = await lab.signUp();
    const profile = lab.profile();
    const tab = await profile.openTab();
    await tab.vault.signInWithPhrase({ userName: person.userName, words: person.words.join(' ') });
    const reloaded = await profile.openTab();
    expect([reloaded.status, reloaded.needsNewPassword]).toEqual(['unlocked', true]);
  });
});

describe('a session in the browser', () => {
  it('stays unlocked over a reload and in a new tab, without asking the relay first', async () => {
    const { profile } = await lab.signUp();
    profile.setOnline(false);
    const reloaded = await profile.openTab();
    expect(reloaded.status).toBe('unlocked');
    expect(reloaded.events[0]).toMatchObject({ type: 'session', status: 'unlocked' });
  });

  it('is shut by Lock in every tab; the password alone opens it again', async () => {
    const { person, profile, tab } = await lab.signUp();
    const other = await profile.openTab();
    await tab.vault.setTheme({ theme: 'dark' });
    await tab.vault.lock();
    await other.until(() => other.status === 'locked' && other.isEnded);
    expect([tab.status, tab.isEnded]).toEqual(['locked', true]);
    expect(await tab.refusal(tab.vault.readDraft({ conversationId: null }))).toEqual({ code: 'session-ended' });

    const later = await profile.openTab();
    expect(later.status).toBe('locked');
    expect(await later.refusal(later.vault.unlock({ password: 'not the password at all' }))).toEqual({
      code: 'sign-in-failed',
    });
    await later.vault.unlock(person);
    expect(later.status).toBe('unlocked');
    await later.until(() => later.theme === 'dark');
  });

  it('opens in the tabs that wait when one of them is unlocked', async () => {
    const { person, profile, tab } = await lab.signUp();
    await tab.vault.lock();
    const waiting = await profile.openTab();
    const acting = await profile.openTab();
    await acting.vault.unlock(person);
    await waiting.until(() => waiting.status === 'unlocked');
    expect(waiting.isEnded).toBe(false);
  });

  it('is ended by Sign out here and at the relay, and nothing of it stays in storage', async () => {
    const { profile, tab } = await lab.signUp();
    const other = await profile.openTab();
    await tab.vault.writeDraft({ conversationId: null, text: 'unsent words' });
    await tab.vault.signOut();
    await other.until(() => other.status === 'signed-out' && other.isEnded);
    expect(profile.cookies.size).toBe(0);
    const storage = await readWholeStorage(profile.indexedDB);
    // Which state of the vault was seen last, under a hash of the account's secret id.
    expect(storage.rows).toMatchObject([{ store: 'remembered', value: { counter: 1 } }]);
    const later = await profile.openTab();
    expect(later.status).toBe('signed-out');
  });

  it('is ended at the relay by the next visit when the sign-out did not reach it', async () => {
    const { profile, tab } = await lab.signUp();
    await tab.until(() => tab.connection === 'connected');
    profile.setOnline(false);
    await tab.vault.signOut();
    expect([tab.status, profile.cookies.size]).toEqual(['signed-out', 1]);
    profile.setOnline(true);
    const later = await profile.openTab();
    expect(later.status).toBe('signed-out');
    await later.until(() => profile.cookies.size === 0);
  });

  it('ends where it was revoked from another device, and keeps what was not sent for the same account', async () => {
    const { person, profile, tab } = await lab.signUp();
    await tab.vault.writeDraft({ conversationId: null, text: 'still here' });
    const { tab: other } = await lab.signIn(person);
    await other.vault.changePassword({ newPassword: 'Every other session ends 42' });
    await tab.until(() => tab.status === 'signed-out' && tab.isEnded, 30_000);
    const later = await profile.openTab();
    expect(later.status).toBe('signed-out');
    await later.vault.signIn({ ...person, password: 'Every other session ends 42' });
    expect(await later.vault.readDraft({ conversationId: null })).toBe('still here');
  });

  it('leaves nothing of one account to the next one', async () => {
    const { person, profile, tab } = await lab.signUp();
    await tab.vault.writeDraft({ conversationId: null, text: 'for nobody else' });
    const { tab: other } = await lab.signIn(person);
    await other.vault.changePassword({ newPassword: 'Every other session ends 43' });
    await tab.until(() => tab.isEnded, 30_000);
    const stranger = await lab.signUp(profile);
    expect(await stranger.tab.vault.readDraft({ conversationId: null })).toBe('');
    expect((await readWholeStorage(profile.indexedDB)).rows.filter(({ store }) => store === 'drafts')).toEqual([]);
  });

  it('keeps no word, name, password or key in clear in its storage', async () => {
    const { person, profile, tab } = await lab.signUp();
    await tab.vault.writeDraft({ conversationId: null, text: 'plain draft words' });
    const sent = await tab.vault.send({ conversationId: null, text: 'plain question words' });
    await tab.vault.renameConversation({ conversationId: sent.conversationId, title: 'plain title words' });
    const storage = await readWholeStorage(profile.indexedDB);
    const secrets = [
      'plain draft words',
      'plain question words',
      'plain title words',
      person.userName,
      person.password,
    ];
    expect(secrets.filter((secret) => storage.contains(secret))).toEqual([]);
    expect(storage.extractableKeys).toBe(0);
    expect(storage.databaseNames).toEqual(['sotto']);
    // The finder finds what is there.
    expect(storage.contains(sent.turnId)).toBe(true);
  });
});
