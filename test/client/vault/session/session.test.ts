import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceLab, proofOf } from '../../../parts/users/vaults/device-lab.ts';
import { nameTagOf, startLogin } from '../../../parts/users/without-keys/quick-account.ts';
import { readWholeStorage } from '../../../parts/browser/read-whole-storage.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

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
    const other = { by: 'phrase', userName: person.userName, words: 'abandon '.repeat(24) } as const;
    expect(await tab.refusal(tab.vault.signIn(other))).toEqual({ code: 'invalid-phrase' });
    const mistyped = { ...other, words: person.recoveryWords.with(4, 'sotto').join(' ') };
    expect(await tab.refusal(tab.vault.signIn(mistyped))).toEqual({
      code: 'invalid-phrase',
      unknownWords: [5],
    });
    const foreign = (await lab.signUp()).person;
    const notHers = { ...other, words: foreign.recoveryWords.join(' ') };
    expect(await tab.refusal(tab.vault.signIn(notHers))).toEqual({ code: 'sign-in-failed' });

    await tab.vault.signIn({
      by: 'phrase',
      userName: person.userName,
      words: person.recoveryWords.join('\n').toUpperCase(),
    });
    expect([tab.status, tab.needsNewPassword]).toEqual(['unlocked', true]);
    const newPassword = 'An entirely new lighthouse 77!';
    expect(
      await tab.refusal(tab.vault.changePassword({ newPassword: 'too short', proof: { by: 'recent-phrase' } })),
    ).toEqual({
      code: 'weak-password',
    });
    await tab.vault.changePassword({ newPassword, proof: { by: 'recent-phrase' } });
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
    await tab.vault.signIn({ by: 'phrase', userName: person.userName, words: person.recoveryWords.join(' ') });
    const reloaded = await profile.openTab();
    expect([reloaded.status, reloaded.needsNewPassword]).toEqual(['unlocked', true]);
  });
});

describe('storage that does not answer', () => {
  /** Acts as an old tab that does not let go of an older version of the database. */
  async function holdStorage(indexedDB: IDBFactory): Promise<IDBDatabase> {
    const request = indexedDB.open('sotto', 10);
    await new Promise((resolve, reject) => {
      request.onsuccess = resolve;
      request.onerror = reject;
    });
    return request.result;
  }

  it('is said after a while, and the start goes on when it does', async () => {
    const profile = lab.profile();
    const held = await holdStorage(profile.indexedDB);
    const opening = profile.openTab();
    const [tab] = profile.tabs;
    if (tab === undefined) throw new Error('There is no tab.');
    await tab.until(() => tab.heldUpBy.length > 0);
    expect([tab.heldUpBy, tab.status]).toEqual([['storage-silent'], 'starting']);
    held.close();
    await opening;
    expect([tab.heldUpBy, tab.status, tab.alarms]).toEqual([['storage-silent', null], 'signed-out', []]);
  });

  it('is not said of one that answers', async () => {
    const tab = await lab.profile().openTab();
    expect([tab.heldUpBy, tab.status]).toEqual([[], 'signed-out']);
  });
});

describe('somebody who knows a user name', () => {
  it('keeps its owner from signing in on a new device, and not where they were signed in before', async () => {
    const { person, profile, tab } = await lab.signUp();
    await tab.vault.signOut();
    const { request: loginRequest } = await startLogin('a guess');
    const body = JSON.stringify({ format: 1, nameTag: nameTagOf(person.userName), loginRequest });
    const headers = { 'content-type': 'application/json' };
    const guess = () => fetch(`${lab.origin}/v1/sign-in/start`, { method: 'POST', headers, body });
    for (let index = 0; index < 30; index++) expect((await guess()).status).toBe(200);
    expect((await guess()).status).toBe(429);

    const stranger = await lab.profile().openTab();
    expect(await stranger.refusal(stranger.vault.signIn(person))).toMatchObject({ code: 'too-many-attempts' });
    const again = await profile.openTab();
    await again.vault.signIn(person);
    expect(again.status).toBe('unlocked');
  });
});

describe('a session in the browser', () => {
  it('stays unlocked over a reload and in a new tab, without asking the relay first', async () => {
    const { profile } = await lab.signUp();
    profile.setOnline(false);
    const reloaded = await profile.openTab();
    expect(reloaded.status).toBe('unlocked');
    // How the way to the relay is may be said before; words of the vault may not.
    const before = reloaded.events.findIndex(({ type }) => type === 'session');
    expect(reloaded.events.slice(0, before).map(({ type }) => type)).toEqual(Array(before).fill('connection'));
    expect(reloaded.events[before]).toMatchObject({ type: 'session', status: 'unlocked' });
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
    // Only the mark stays that this browser was signed in before.
    expect([...profile.cookies.keys()]).toEqual([expect.stringMatching(/^sotto-device-/)]);
    const storage = await readWholeStorage(profile.indexedDB);
    // Which state of the vault was seen last, under a hash of the account's secret id.
    expect(storage.rows).toMatchObject([{ store: 'remembered', value: { counter: 1 } }]);
    const later = await profile.openTab();
    expect(later.status).toBe('signed-out');
  });

  it('is told to the relay as ended only after another tab has renewed it, whose answer would bring the cookie back', async () => {
    const { profile, tab } = await lab.signUp();
    const order: string[] = [];
    const isSignOutReady = async () => {
      const { pending = [] } = await navigator.locks.query();
      return order.includes('sign-out') || pending.some(({ name = '' }) => name.endsWith('sotto-refresh'));
    };
    const renewing = Promise.withResolvers<void>();
    profile.intercept = async (request, next) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/v1/sign-out') order.push('sign-out');
      if (pathname !== '/v1/session/refresh') return next(request);
      const response = await next(request);
      renewing.resolve();
      // The answer is on its way while the person signs out.
      await expect.poll(isSignOutReady).toBe(true);
      order.push('renewed');
      return response;
    };
    await profile.openTab();
    await renewing.promise;
    await tab.vault.signOut();
    expect(order).toEqual(['renewed', 'sign-out']);
    expect([...profile.cookies.keys()]).toEqual([expect.stringMatching(/^sotto-device-/)]);
  });

  it('is told to the relay as ended, although no renewal is ever answered', async () => {
    const { profile, tab } = await lab.signUp();
    const renewing = Promise.withResolvers<void>();
    profile.intercept = async (request, next) => {
      if (!request.url.endsWith('/v1/session/refresh')) return next(request);
      renewing.resolve();
      return new Promise((_, reject) => {
        request.signal.addEventListener('abort', () => reject(new TypeError('Failed to fetch')));
      });
    };
    await profile.openTab();
    await renewing.promise;
    await tab.vault.signOut();
    expect([...profile.cookies.keys()]).toEqual([expect.stringMatching(/^sotto-device-/)]);
  });

  it('is ended at the relay by the next visit when the sign-out did not reach it', async () => {
    const { profile, tab } = await lab.signUp();
    await tab.until(() => tab.connection === 'connected');
    profile.setOnline(false);
    await tab.vault.signOut();
    expect([tab.status, profile.cookies.size]).toEqual(['signed-out', 2]);
    profile.setOnline(true);
    const later = await profile.openTab();
    expect(later.status).toBe('signed-out');
    await later.until(() => profile.cookies.size === 1);
  });

  it('ends where it was revoked from another device, and keeps what was not sent for the same account', async () => {
    const { person, profile, tab } = await lab.signUp();
    await tab.vault.writeDraft({ conversationId: null, text: 'still here' });
    const { tab: other } = await lab.signIn(person);
    await other.vault.changePassword({ newPassword: 'Every other session ends 42', proof: proofOf(person) });
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
    await other.vault.changePassword({ newPassword: 'Every other session ends 43', proof: proofOf(person) });
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
