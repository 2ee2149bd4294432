/* oxlint-disable vitest/expect-expect -- expectRefused and expectWhole assert. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { Interceptor } from '../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { changeJson, flip, jsonResponse, pathOf, reconnect, storeConversation } from '../../../parts/relay/tamper.ts';
import { type Sync, SyncVictims } from '../../../parts/users/vaults/sync-victims.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';

let lab: DeviceLab;
let victims: SyncVictims;
let writer: VaultTab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
  const signedUp = await lab.signUp();
  writer = signedUp.tab;
  victims = new SyncVictims(lab, writer, signedUp.person);
  for (const text of ['One', 'Two', 'Three']) await storeConversation(writer, text);
});
afterAll(() => lab[Symbol.asyncDispose]());

const items = /^\/v1\/items$/;

describe('a device that was here before', () => {
  it('refuses an older state of the vault (M16)', async () => {
    const old = await victims.recordSync();
    const { tab, profile } = await victims.knownDevice();
    await storeConversation(writer, 'After the old state');
    await victims.expectWhole(tab);
    const shown = tab.titles().toSorted();
    profile.intercept = changeJson(items, (answer: Sync, request) =>
      request.method === 'GET' ? { ...old, items: [] } : answer,
    );
    await reconnect(profile, tab);
    await victims.expectRefused({ tab, profile }, 'vault-rolled-back', shown);
  });

  it('refuses an item as it was before (M18), and a deleted one that lives again (M20)', async () => {
    const conversationId = await storeConversation(writer, 'Before');
    const old = await victims.recordSync();
    const before = old.items.find(({ id }) => id === conversationId);
    for (const change of ['renamed', 'deleted'] as const) {
      const { tab, profile } = await victims.knownDevice();
      if (change === 'renamed') await writer.vault.renameConversation({ conversationId, title: 'After' });
      else await writer.vault.deleteConversation({ conversationId });
      await tab.until(() => !tab.titles().includes(change === 'renamed' ? 'Before' : 'After'));
      const shown = tab.titles().toSorted();
      // Comes as something new, at the place of the newest head.
      profile.intercept = changeJson(items, (answer: Sync, request) =>
        request.method === 'GET'
          ? {
              ...answer,
              items: [...answer.items, { ...before, id: conversationId, counter: answer.head.counter }].toSorted(
                byPlace,
              ),
            }
          : answer,
      );
      await writer.vault.setTheme({ theme: change === 'renamed' ? 'dark' : 'light' });
      await tab.until(() => tab.alarms.length > 0);
      expect(['vault-rolled-back', 'vault-tampered']).toContain(tab.alarms[0]);
      expect(tab.titles().toSorted()).toEqual(shown);
      profile.intercept = null;
      await victims.expectWhole(tab);
      await tab.until(() => tab.theme === (change === 'renamed' ? 'dark' : 'light'), 40_000);
    }
  });

  it('refuses a history that is not its own: another device saw a different one (M19)', async () => {
    const { tab, profile } = await victims.knownDevice();
    // The relay tells this device that its write was stored, and shows everybody else another one.
    const pretend: Interceptor = async (request, next) => {
      if (pathOf(request) !== '/v1/items' || request.method !== 'POST') return next(request);
      const { head } = (await request.json()) as Sync;
      return jsonResponse({ format: 1, counter: head.counter });
    };
    profile.intercept = pretend;
    await tab.vault.setTheme({ theme: 'dark' });
    await tab.until(() => profile.requests.some(({ path, method }) => path === '/v1/items' && method === 'POST'));
    await storeConversation(writer, 'The other history');
    await tab.until(() => tab.alarms.includes('vault-tampered'));
    // A sync between the two writes finds the relay behind this device, and says so first.
    expect(tab.alarms.filter((code) => code !== 'vault-rolled-back')).toEqual(['vault-tampered']);
    expect(tab.titles()).not.toContain('The other history');
    expect(writer.alarms).toEqual([]);
  });

  it('refuses a chain of heads with a link missing or changed over (M15, M17)', async () => {
    for (const change of [
      (heads: unknown[]) => heads.slice(1),
      (heads: unknown[]) => heads.toReversed(),
      (heads: unknown[]) => heads.slice(0, -1),
    ]) {
      const { tab, profile } = await victims.knownDevice();
      profile.setOnline(false);
      const shown = tab.titles().toSorted();
      for (const n of [1, 2, 3]) await storeConversation(writer, `While away ${n} ${shown.length}`);
      profile.intercept = changeJson(/^\/v1\/heads$/, (answer: { heads: unknown[] }) => ({
        ...answer,
        heads: change(answer.heads),
      }));
      profile.setOnline(true);
      await victims.expectRefused({ tab, profile }, 'vault-tampered', shown);
    }
  });

  it.each([
    ['version', 0, 'other-version'],
    ['suite', 1, 'other-version'],
    ['epoch', 5, 'newer-keys'],
  ])('leaves a head of a later %s alone, and says so (M11)', async (_what, place, code) => {
    const { tab, profile } = await victims.knownDevice();
    profile.setOnline(false);
    const shown = tab.titles().toSorted();
    await storeConversation(writer, `While away, byte ${place}`);
    profile.intercept = changeJson(items, (answer: Sync) => {
      const body = fromBase64Url(answer.head.body);
      body[place] = (body[place] ?? 0) + 1;
      return { ...answer, head: { ...answer.head, body: toBase64Url(body) } };
    });
    profile.setOnline(true);
    await victims.expectRefused({ tab, profile }, code, shown);
  });

  it('says it in every tab, and again when it happens again (M13)', async () => {
    const { tab, profile } = await victims.knownDevice();
    const other = await profile.openTab();
    await victims.expectWhole(other);
    await other.until(() => other.connection === 'connected');
    for (const times of [1, 2]) {
      profile.intercept = changeJson(items, (answer: Sync) => ({
        ...answer,
        head: { ...answer.head, body: flip(answer.head.body) },
      }));
      await storeConversation(writer, `Changed on its way ${times}`);
      await Promise.all([tab, other].map((each) => each.until(() => each.alarms.length === times)));
      expect([tab.alarms.at(-1), other.alarms.at(-1)]).toEqual(['vault-tampered', 'vault-tampered']);
      profile.intercept = null;
      await Promise.all([tab, other].map((each) => victims.expectWhole(each)));
    }
  });

  it('is not alarmed by its own write whose answer was lost', async () => {
    const { tab, profile } = await victims.knownDevice();
    let lost = false;
    profile.intercept = async (request, next) => {
      const response = await next(request);
      if (pathOf(request) !== '/v1/items' || request.method !== 'POST' || lost) return response;
      lost = true;
      throw new TypeError('Failed to fetch');
    };
    await tab.vault.setTheme({ theme: 'dark' });
    await writer.until(() => writer.theme === 'dark');
    expect([lost, tab.alarms, writer.alarms]).toEqual([true, [], []]);
  });
});

/** Orders as the relay does: by counter, then by the bytes of the id. */
function byPlace(a: Record<string, unknown>, b: Record<string, unknown>): number {
  const place = ({ counter, id }: Record<string, unknown>) =>
    `${String(counter).padStart(12, '0')} ${Buffer.from(id as string, 'base64url').toString('hex')}`;
  return place(a) < place(b) ? -1 : 1;
}
