import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BrowserProfile } from '../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../parts/users/vaults/device-lab.ts';
import type { VaultTab } from '../../parts/users/vaults/vault-tab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

type Device = { readonly profile: BrowserProfile; readonly tab: VaultTab };

/** mulberry32: the same story for the same seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A lost answer, or a call that never arrived, now and then. */
function makeFlaky(profile: BrowserProfile, random: () => number): void {
  profile.intercept = async (request, next) => {
    const luck = random();
    if (luck < 0.12) throw new TypeError('Failed to fetch');
    const response = await next(request);
    if (luck < 0.24 && request.method === 'POST') throw new TypeError('Failed to fetch');
    return response;
  };
}

async function act(device: Device, random: () => number, asked: string[]): Promise<void> {
  const { tab, profile } = device;
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)];
  const conversation = pick(tab.conversations);
  const luck = random();
  if (luck < 0.4) {
    const text = `question ${asked.length}`;
    asked.push(text);
    const { turnId } = await tab.ask(text, conversation?.id ?? null);
    await tab.vault.stop({ turnId }).catch(() => undefined);
  } else if (luck < 0.6 && conversation !== undefined) {
    await tab.vault.renameConversation({
      conversationId: conversation.id,
      title: `title ${Math.floor(random() * 1e6)}`,
    });
  } else if (luck < 0.7) {
    await tab.vault.setTheme({ theme: pick(['system', 'light', 'dark'] as const) ?? 'dark' });
  } else if (luck < 0.9) {
    profile.setOnline(!profile.isOnline);
  } else {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('three devices of the real vault over a real relay', () => {
  it.each([1, 2])(
    'agree in the end and lose nothing, whatever the network did (story %i)',
    async (seed) => {
      const random = generator(seed);
      const first = await lab.signUp();
      const devices: Device[] = [first, await lab.signIn(first.person), await lab.signIn(first.person)];
      for (const { profile } of devices) makeFlaky(profile, random);
      const asked: string[] = [];
      for (let step = 0; step < 40; step++) {
        const device = devices[Math.floor(random() * devices.length)];
        if (device !== undefined) await act(device, random, asked);
      }
      for (const { profile } of devices) {
        profile.intercept = null;
        // A browser says that the network is back; without it a device waits out its pause.
        profile.setOnline(false);
        profile.setOnline(true);
      }
      const wholeOf = async ({ tab }: Device) => {
        const texts: string[] = [];
        for (const { id, title } of tab.conversations) {
          await tab.vault.openConversation({ conversationId: id });
          for (const message of tab.messages.get(id) ?? []) {
            if (message.role === 'user') texts.push(`${title}: ${message.text}`);
          }
        }
        return { theme: tab.theme, texts: texts.toSorted() };
      };
      const [home] = devices;
      if (home === undefined) throw new Error('There is no device.');
      await expect
        .poll(async () => (await wholeOf(home)).texts.map((text) => text.replace(/^.*: /, '')).toSorted(), {
          timeout: 20_000,
        })
        .toEqual(asked.toSorted());
      const isStored = () => devices.every(({ tab }) => tab.conversations.every(({ stored }) => stored));
      await expect.poll(isStored).toBe(true);
      // A rename or a theme of one may still be on its way to all others, home too.
      const views = async () =>
        new Set(await Promise.all(devices.map(async (each) => JSON.stringify(await wholeOf(each)))));
      await expect.poll(async () => (await views()).size).toBe(1);
      for (const { tab } of devices) expect(tab.alarms).toEqual([]);
      // A device that comes new sees the same.
      const newcomer = await lab.signIn(first.person);
      await expect.poll(() => wholeOf(newcomer)).toEqual(await wholeOf(home));
    },
    90_000,
  );
});
