import { IDBKeyRange } from 'fake-indexeddb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CiphertextCache } from '../../../../client/vault/store/ciphertext-cache.ts';
import { openIndexedDbCache } from '../../../../client/worker/indexeddb-cache.ts';
import type { BrowserProfile } from '../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { changeRequest, jsonResponse, pathOf, storeConversation } from '../../../parts/relay/tamper.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

const isSending = (request: Request) => request.method === 'POST' && /^\/v1\/(items|turns)$/.test(pathOf(request));

describe('a question that waits for an enclave', () => {
  /** Asked before the shield had anything to show; the relay holds what it is asked for. */
  async function askAndHold(text: string) {
    const profile = lab.profile();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let isStoring = true;
    profile.intercept = async (request, next) => {
      if (pathOf(request) === '/v1/enclaves') await held;
      if (!isStoring && isSending(request)) throw new TypeError('Failed to fetch');
      return next(request);
    };
    const { tab } = await lab.signUp(profile);
    const { turnId } = await tab.ask(text);
    const setStoring = (isOn: boolean) => (isStoring = isOn);
    return { profile, tab, turnId, release, setStoring };
  }

  /** Tells what became of the next one: once it has passed, what was to go before it has gone, or never will. */
  async function whatWent(profile: BrowserProfile, { tab, turnId }: { tab: VaultTab; turnId: string }) {
    const { text } = await tab.ended(turnId);
    return { text, sent: profile.sentTurns.length, messages: lab.upstream.requests.at(-1)?.body.messages };
  }
  const nextAlone = { text: 'In a low voice.', sent: 1, messages: [{ role: 'user', content: 'The next one.' }] };

  it('is sent once there is one', async () => {
    const { profile, tab, turnId, release } = await askAndHold('The next one.');
    release();
    expect(await whatWent(profile, { tab, turnId })).toEqual(nextAlone);
  });

  it('stays stopped when it is found, though the relay does not know of the stop yet', async () => {
    const { profile, tab, turnId, release, setStoring } = await askAndHold('Taken back.');
    setStoring(false);
    await tab.vault.stop({ turnId });
    expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'stopped' });
    release();
    await tab.until(() => tab.enclave.kind === 'verified');
    setStoring(true);
    await tab.until(() => tab.question(turnId).stored);
    const next = await tab.ask('The next one.');
    expect(await whatWent(profile, { tab, turnId: next.turnId })).toEqual(nextAlone);
    expect(tab.answer(turnId)).toMatchObject({ text: '', state: { kind: 'ended', outcome: 'stopped' } });
  });

  it('and was stopped and stored leaves the next one alone', async () => {
    const { profile, tab, turnId, release } = await askAndHold('Taken back.');
    await tab.vault.stop({ turnId });
    await tab.until(() => tab.question(turnId).stored);
    const next = await tab.ask('The next one.');
    release();
    expect(await whatWent(profile, { tab, turnId: next.turnId })).toEqual(nextAlone);
  });

  it('and was deleted leaves the next one alone', async () => {
    const { profile, tab, release } = await askAndHold('Taken back.');
    const [conversation] = tab.conversations;
    await tab.vault.deleteConversation({ conversationId: conversation?.id ?? '' });
    const next = await tab.ask('The next one.');
    release();
    expect(await whatWent(profile, { tab, turnId: next.turnId })).toEqual(nextAlone);
    expect(tab.titles()).toEqual(['The next one.']);
  });
});

describe('a stored question whose request is on its way once more', () => {
  /** The relay has its items, and lets the request that is sealed anew wait. */
  async function askAndHold() {
    const { profile, tab } = await lab.signUp();
    await tab.vault.openConversation({ conversationId: null });
    await tab.until(() => tab.enclave.kind === 'verified');
    const elsewhere = await storeConversation(tab, 'Something else.');
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let isFirst = true;
    profile.intercept = async (request, next) => {
      const path = pathOf(request);
      if (path.endsWith('/attempts')) await held;
      if (path !== '/v1/turns' || request.method !== 'POST' || !isFirst) return next(request);
      isFirst = false;
      // An enclave that nobody knows: the items are stored, and the relay chooses one that there is.
      return changeRequest(/./, (body: { enclaveId: string }) => (body.enclaveId = 'A'.repeat(22)))(request, next);
    };
    const { turnId, conversationId } = await tab.ask('Held.');
    const count = (end: string) => profile.sentTurns.filter(({ path }) => path === `/v1/turns/${turnId}/${end}`).length;
    await expect.poll(() => count('attempts')).toBe(1);
    return { tab, elsewhere, turnId, conversationId, release, stops: () => count('stop') };
  }

  it('is answered once it is there, and nobody stops it', async () => {
    const { tab, turnId, release, stops } = await askAndHold();
    release();
    expect((await tab.ended(turnId)).text).toBe('In a low voice.');
    expect(stops()).toBe(0);
  });

  it('holds up nothing else', async () => {
    const { tab, elsewhere, turnId, release } = await askAndHold();
    await tab.vault.deleteConversation({ conversationId: elsewhere });
    const other = await tab.ask('Not held.');
    expect((await tab.ended(other.turnId)).text).toBe('In a low voice.');
    expect(tab.titles()).toEqual(['Not held.', 'Held.']);
    release();
    expect((await tab.ended(turnId)).text).toBe('In a low voice.');
  });

  it('is stopped at once, and once more after its request', async () => {
    const { tab, turnId, release, stops } = await askAndHold();
    await tab.vault.stop({ turnId });
    expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'stopped' });
    expect(stops()).toBe(1);
    release();
    await expect.poll(stops).toBe(2);
    expect(tab.answer(turnId)).toMatchObject({ text: '', state: { kind: 'ended', outcome: 'stopped' } });
  });

  it('is stopped after its request where its conversation was deleted', async () => {
    const { tab, conversationId, release, stops } = await askAndHold();
    await tab.vault.deleteConversation({ conversationId });
    await tab.until(() => tab.titles().length === 1);
    // The reply that is shown goes on until it is stopped, before its conversation is deleted.
    await expect.poll(stops).toBe(1);
    release();
    await expect.poll(stops).toBe(2);
    expect([tab.titles(), tab.returned]).toEqual([['Something else.'], []]);
  });
});

describe('words whose conversation another device deletes', () => {
  /** Two devices that know one conversation; the first cannot send into it. */
  async function openBoth() {
    const { person, profile, tab } = await lab.signUp();
    const conversationId = await storeConversation(tab, 'A question that is stored.');
    const { tab: other } = await lab.signIn(person);
    await other.until(() => other.conversations.length === 1);
    profile.intercept = async (request, next) => {
      if (isSending(request)) throw new TypeError('Failed to fetch');
      return next(request);
    };
    const remove = async () => {
      await other.vault.deleteConversation({ conversationId });
      await tab.until(() => tab.conversations.length === 0);
    };
    return { profile, tab, conversationId, remove };
  }

  it('come back from a question that was on its way', async () => {
    const { profile, tab, conversationId, remove } = await openBoth();
    await tab.ask('On its way.', conversationId);
    await remove();
    profile.intercept = null;
    await tab.until(() => tab.returned.length > 0);
    expect(tab.returned).toEqual(['On its way.']);
  });

  it('come back from a question that was stopped before the relay had it', async () => {
    const { profile, tab, conversationId, remove } = await openBoth();
    const { turnId } = await tab.ask('Stopped.', conversationId);
    await tab.vault.stop({ turnId });
    await remove();
    profile.intercept = null;
    await tab.until(() => tab.returned.length > 0);
    expect(tab.returned).toEqual(['Stopped.']);
  });

  it('come back from a question that could not be sent', async () => {
    const { profile, tab, conversationId, remove } = await openBoth();
    profile.intercept = async (request, next) =>
      pathOf(request) === '/v1/turns' ? jsonResponse({ error: 'bad-request' }, 400) : next(request);
    const { turnId } = await tab.ask('Unsent.', conversationId);
    await tab.until(() => tab.stateOf(turnId) === 'unsent');
    await remove();
    await tab.until(() => tab.returned.length > 0);
    expect(tab.returned).toEqual(['Unsent.']);
  });

  it('all come back, in every tab and after a reload, until a draft that holds them is saved', async () => {
    const { profile, tab, conversationId, remove } = await openBoth();
    const second = await profile.openTab();
    const first = await tab.ask('First words.', conversationId);
    await tab.vault.stop({ turnId: first.turnId });
    await tab.ask('Second words.', conversationId);
    await remove();
    profile.intercept = null;
    const both = ['First words.', 'Second words.'];
    for (const each of [tab, second]) await each.until(() => each.returned.length === 2);
    expect([tab.returned, second.returned]).toEqual([both, both]);
    tab.abandon();

    const reloaded = await profile.openTab();
    expect(reloaded.returned).toEqual(both);
    await reloaded.vault.writeDraft({ conversationId: null, text: 'What somebody typed.' });
    expect(reloaded.returned).toEqual(both);
    await reloaded.vault.writeDraft({
      conversationId: null,
      text: 'What somebody typed.\n\nFirst words.',
      returned: [first.turnId],
    });
    for (const each of [reloaded, second]) await each.until(() => each.returned.length === 1);
    expect([reloaded.returned, second.returned]).toEqual([['Second words.'], ['Second words.']]);
    expect(await second.vault.readDraft({ conversationId: null })).toBe('What somebody typed.\n\nFirst words.');
  });

  it.each(['on its way', 'unsent'])(
    'do not come back once they were stored (%s), unlike those that never were',
    async (how) => {
      const { profile, tab, conversationId, remove } = await openBoth();
      let isStoring = true;
      profile.intercept = async (request, next) => {
        const path = pathOf(request);
        if (path.endsWith('/attempts') && how === 'unsent') return jsonResponse({ error: 'bad-request' }, 400);
        if (path.endsWith('/attempts') || (!isStoring && isSending(request))) throw new TypeError('Failed to fetch');
        if (path !== '/v1/turns' || request.method !== 'POST') return next(request);
        // The items get there, and nothing runs.
        return changeRequest(/./, (body: { enclaveId: string }) => (body.enclaveId = 'A'.repeat(22)))(request, next);
      };
      const { turnId } = await tab.ask('Stored.', conversationId);
      await tab.until(() => tab.question(turnId).stored);
      isStoring = false;
      if (how === 'unsent') await tab.until(() => tab.stateOf(turnId) === 'unsent');
      await tab.ask('Never stored.', conversationId);
      await remove();
      const cache = new CiphertextCache(openIndexedDbCache({ indexedDB: profile.indexedDB, IDBKeyRange }));
      await cache.open();
      // Only the words that wait for a draft are left of the two.
      await expect.poll(async () => (await cache.readOutbox()).length).toBe(1);
      cache.close();
      await tab.until(() => tab.returned.length > 0);
      expect(tab.returned).toEqual(['Never stored.']);
    },
  );

  it('stay where they are while the conversation does', async () => {
    const { profile, tab, conversationId } = await openBoth();
    const { turnId } = await tab.ask('Stopped.', conversationId);
    await tab.vault.stop({ turnId });
    profile.intercept = null;
    await tab.until(() => tab.question(turnId).stored);
    expect([tab.returned, tab.texts(conversationId).includes('Stopped.')]).toEqual([[], true]);
  });
});

describe('a question that could not be sent', () => {
  it('and is asked again in two tabs at once is asked once', async () => {
    const { profile, tab } = await lab.signUp();
    profile.intercept = async (request, next) =>
      pathOf(request) === '/v1/turns' ? jsonResponse({ error: 'bad-request' }, 400) : next(request);
    const { conversationId, turnId } = await tab.ask('Once.');
    await tab.until(() => tab.stateOf(turnId) === 'unsent');
    const second = await profile.openTab();
    await second.vault.openConversation({ conversationId });
    await second.until(() => second.stateOf(turnId) === 'unsent' && second.enclave.kind === 'verified');
    profile.intercept = null;
    const asked = lab.upstream.requests.length;
    const both = [tab, second].map((each) => each.vault.retry({ conversationId, turnId }));
    const ends = (await Promise.allSettled(both)).map(({ status }) => status);
    expect(ends.toSorted()).toEqual(['fulfilled', 'rejected']);
    for (const each of [tab, second]) await each.until(() => each.texts(conversationId).includes('In a low voice.'));
    expect(lab.upstream.requests.length - asked).toBe(1);
  });
});
