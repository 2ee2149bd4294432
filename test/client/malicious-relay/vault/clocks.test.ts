import { IDBKeyRange } from 'fake-indexeddb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CiphertextCache } from '../../../../client/vault/store/ciphertext-cache.ts';
import { openIndexedDbCache } from '../../../../client/worker/indexeddb-cache.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { pathOf, storeConversation } from '../../../parts/relay/tamper.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

const year = 365 * 86_400_000;

describe('M44 a clock', () => {
  it.each([10 * year, -10 * year])(
    'a device’s clock that is %i ms off decides on no expiry and no lifetime',
    async (offset) => {
      const profile = lab.profile();
      profile.wallOffsetMs = offset;
      const { tab } = await lab.signUp(profile);
      await tab.vault.openConversation({ conversationId: null });
      await tab.until(() => tab.enclave.kind === 'verified');
      const { turnId } = await tab.ask('What time is it?');
      expect((await tab.ended(turnId)).text).toBe('In a low voice.');
      expect(tab.alarms).toEqual([]);
    },
  );

  it('that jumps while a session is open makes no token older or younger', async () => {
    const { profile, tab } = await lab.signUp();
    await tab.until(() => tab.connection === 'connected');
    const refreshes = () => profile.requests.filter(({ path }) => path === '/v1/session/refresh').length;
    expect(refreshes()).toBe(0);
    profile.wallOffsetMs = year;
    await storeConversation(tab, 'Next year');
    expect(refreshes()).toBe(0);
    // Time that really passes, on the clock that nobody sets, does.
    profile.monotonicOffsetMs = 3_600_000;
    await storeConversation(tab, 'An hour later');
    expect(refreshes()).toBe(1);
  });

  it('moves on for an enclave too: what was verified long ago is asked for anew before anything is sealed', async () => {
    const { profile, tab } = await lab.signUp();
    await tab.vault.openConversation({ conversationId: null });
    await tab.until(() => tab.enclave.kind === 'verified');
    const asked = () => profile.requests.filter(({ path }) => path === '/v1/enclaves').length;
    const first = await tab.ask('Now?');
    await tab.ended(first.turnId);
    expect(asked()).toBe(1);
    profile.monotonicOffsetMs = 20 * 60_000;
    const second = await tab.ask('And now?', first.conversationId);
    expect((await tab.ended(second.turnId)).text).toBe('In a low voice.');
    expect(asked()).toBe(2);
  });

  it('a relay’s clock that was once ahead hides no answer for good', async () => {
    const { person, profile, tab } = await lab.signUp();
    await tab.vault.openConversation({ conversationId: null });
    const first = await tab.ask('While this device is open');
    await tab.ended(first.turnId);
    await tab.vault.lock();
    const cache = new CiphertextCache(openIndexedDbCache({ indexedDB: profile.indexedDB, IDBKeyRange }));
    await cache.open();
    const ahead = Date.now() + 10 * year;
    await cache.updateMark({ turnsAfterMs: ahead });

    // Asked on another device, which then cannot make the answer compact.
    const other = await lab.signIn(person);
    await other.tab.vault.openConversation({ conversationId: first.conversationId });
    await other.tab.until(() => other.tab.conversations.length === 1);
    const second = await other.tab.ask('While it is shut', first.conversationId);
    other.profile.intercept = async (request, next) =>
      pathOf(request) === '/v1/items' && request.method === 'POST'
        ? new Response(null, { status: 503 })
        : next(request);
    await other.tab.ended(second.turnId);

    // The list alone says what became of it: a live response would repeat the last frame.
    profile.intercept = async (request, next) =>
      pathOf(request) === '/v1/live' ? new Response(null, { status: 503 }) : next(request);
    const again = await profile.openTab();
    await again.vault.unlock(person);
    await again.vault.openConversation({ conversationId: first.conversationId });
    expect((await again.ended(second.turnId)).text).toBe('In a low voice.');
    await expect.poll(async () => (await cache.readMark())?.turnsAfterMs).toBeLessThan(ahead);
    cache.close();
  });

  it('that runs ten years ahead on one device does not silence the others', async () => {
    const { person, profile, tab } = await lab.signUp();
    const conversationId = await storeConversation(tab, 'Ours');
    const { tab: other } = await lab.signIn(person);
    await other.until(() => other.titles().includes('Ours'));
    profile.wallOffsetMs = 10 * year;
    await tab.vault.renameConversation({ conversationId, title: 'From the future' });
    await tab.vault.setTheme({ theme: 'dark' });
    await other.until(() => other.titles().includes('From the future') && other.theme === 'dark');
    await other.vault.renameConversation({ conversationId, title: 'From today' });
    await other.vault.setTheme({ theme: 'light' });
    await tab.until(() => tab.titles().includes('From today') && tab.theme === 'light');
    expect(other.titles()).toEqual(['From today']);
  });
});
