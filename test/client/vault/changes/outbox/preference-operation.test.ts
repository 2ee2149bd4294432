import { describe, expect, it } from 'vitest';
import type { PreferenceContent } from '../../../../../crypto/protocol/contents/item-contents.ts';
import { setPreference } from '../../../../../client/vault/changes/outbox/preference-operation.ts';
import { ShownContents } from '../../../../../client/vault/changes/outbox/shown-contents.ts';
import { VaultContents } from '../../../../../client/vault/store/vault-contents.ts';
import type { Operation } from '../../../../../client/vault/features/features.ts';
import { newId, PaperDevice, PaperVault } from '../../../../parts/vault/paper-vault.ts';
import { put, queue } from '../../../../parts/vault/planned-batches.ts';

const preference = (value: string, setAtMs: number, name = 'account-note'): Operation => ({
  kind: 'preference',
  name,
  value,
  setAtMs,
  itemId: newId(),
});

/** Collects what is stored under a name, however many items hold it. */
function stored(vault: PaperVault, name = 'account-note'): PreferenceContent[] {
  return [...vault.items.values()].flatMap(({ content }) =>
    content?.type === 'preference' && content.name === name ? [content] : [],
  );
}

describe('preferenceOperation', () => {
  it('is kept in one item of its name, and other names stay', () => {
    const vault = new PaperVault();
    const device = new PaperDevice(vault);
    for (const operation of [preference('one', 1), preference('of another', 1, 'other'), preference('two', 2)]) {
      device.do(operation);
      device.flush();
    }
    expect(stored(vault).map(({ value }) => value)).toEqual(['two']);
    expect(stored(vault, 'other').map(({ value }) => value)).toEqual(['of another']);
  });

  it.each([
    ['the later of two devices wins, whichever is stored first', 5, 'late', 4, 'early', 'late'],
    ['of equal times the greater value wins', 5, 'a', 5, 'b', 'b'],
  ])('%s', (_case, firstMs, first, secondMs, second, winner) => {
    for (const isTurned of [false, true]) {
      const vault = new PaperVault();
      const devices = [new PaperDevice(vault), new PaperDevice(vault)] as const;
      devices[0].do(preference(first, firstMs));
      devices[1].do(preference(second, secondMs));
      // The one that another was quicker than plans again.
      for (const device of [...(isTurned ? devices.toReversed() : devices), ...devices]) device.flush();
      for (const device of devices) {
        device.sync();
        expect(device.contents.preferences.newest('account-note')?.preference.value).toBe(winner);
      }
    }
  });
});

describe('ShownContents.preference', () => {
  it('shows what waits before the relay has it, and never what is older than what is stored', () => {
    const contents = new VaultContents();
    put(contents, newId(), { type: 'preference', format: 1, name: 'account-note', value: 'stored', setAtMs: 5 });
    const shownWith = (...waiting: Operation[]) =>
      new ShownContents(contents, { all: queue(waiting) }).preference('account-note')?.value;
    expect(shownWith()).toBe('stored');
    expect(shownWith(preference('newer', 6))).toBe('newer');
    expect(shownWith(preference('older', 4), preference('of another', 9, 'other'))).toBe('stored');
  });
});

describe('setPreference', () => {
  async function set(value: string, knownMs: number) {
    const contents = new VaultContents();
    put(contents, newId(), { type: 'preference', format: 1, name: 'account-note', value: 'known', setAtMs: knownMs });
    const orders: unknown[] = [];
    const vault = {
      outbox: { put: async (_type: unknown, fields: unknown) => void orders.push(fields) },
      shown: new ShownContents(contents, { all: [] }),
      clock: { wallMs: () => 1000 },
    };
    await setPreference(vault as never, 'account-note', value);
    return orders;
  }

  it('is later than what is known, also where another clock runs ahead', async () => {
    expect(await set('mine', 1)).toMatchObject([{ value: 'mine', setAtMs: 1000 }]);
    expect(await set('mine', 90_000)).toMatchObject([{ setAtMs: 90_001 }]);
  });

  it('takes a value of 8,192, and refuses one more', async () => {
    expect(await set('x'.repeat(8_192), 1)).toHaveLength(1);
    await expect(set('x'.repeat(8_193), 1)).rejects.toMatchObject({ code: 'preference-too-long' });
  });
});
