import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceLab } from '../../parts/device-lab.ts';
import { storeConversation } from '../../parts/tamper.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

const year = 365 * 86_400_000;

describe('M44 a clock', () => {
  it.each([10 * year, -10 * year])(
    'of this device that is %i ms off decides on no expiry and no lifetime',
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
