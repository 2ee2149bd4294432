import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CachedItem, VaultMark } from '../../../../client/vault/store/cached-shapes.ts';
import type { BrowserProfile } from '../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { inCache } from '../../../parts/users/vaults/kept-cache.ts';
import { storeConversation } from '../../../parts/relay/tamper.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

async function changeMark(profile: BrowserProfile, change: (mark: VaultMark) => Partial<VaultMark>): Promise<void> {
  await inCache(profile, async (cache) => {
    const mark = await cache.readMark();
    if (mark === null) throw new Error('The cache has no mark.');
    await cache.writeMark({ ...mark, ...change(mark) });
  });
}

/** Another byte in the head's body, at a place. */
const breakHead = (profile: BrowserProfile, place: number) =>
  changeMark(profile, ({ head }) => ({
    head: { ...head, body: head.body.map((byte, at) => (at === place ? byte + 1 : byte)) },
  }));

/** A browser with one conversation, whose tab is gone. */
async function leftBrowser() {
  const { person, profile, tab } = await lab.signUp();
  await storeConversation(tab, 'Kept at the relay');
  // Waits for the vault's lock, so that the batch is kept.
  await tab.vault.relayView({ conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' });
  profile.closeTab(tab);
  await profile.whenVaultIsFree();
  return { person, profile };
}

describe.each([
  ['its version', 0],
  ['its epoch', 5],
  ['its seal', 60],
])('a remembered head that does not open: %s', (_, place) => {
  it('leaves the browser locked, and the password opens it with everything', async () => {
    const { person, profile } = await leftBrowser();
    await breakHead(profile, place);
    const tab = await profile.openTab();
    expect(tab.status).toBe('locked');
    await tab.vault.unlock(person);
    expect([tab.status, tab.alarms]).toEqual(['unlocked', ['cache-damaged']]);
    await tab.until(() => tab.titles().join() === 'Kept at the relay');
    // Once mended, it stays so.
    tab.abandon();
    const reloaded = await profile.openTab();
    expect([reloaded.status, reloaded.alarms]).toEqual(['unlocked', []]);
  });

  it('still binds the relay: no older state, no other history', async () => {
    const { person, profile } = await leftBrowser();
    await breakHead(profile, place);
    await changeMark(profile, ({ head }) => ({ head: { ...head, hash: head.hash.map((byte) => byte ^ 1) } }));
    const tab = await profile.openTab();
    expect(await tab.refusal(tab.vault.unlock(person))).toEqual({ code: 'vault-tampered' });
    await changeMark(profile, ({ head }) => ({ head: { ...head, counter: head.counter + 1 } }));
    await tab.vault.signIn(person);
    expect([tab.status, tab.alarms[0]]).toEqual(['unlocked', 'vault-rolled-back']);
    await tab.until(() => tab.alarms.length > 1);
    expect(tab.alarms[1]).toBe('vault-rolled-back');
  });
});

/** Changes every item that this browser keeps. */
async function damageItems(profile: BrowserProfile, change: (item: CachedItem) => unknown): Promise<void> {
  const database = await new Promise<IDBDatabase>((resolve) => {
    const opening = profile.indexedDB.open('sotto');
    opening.onsuccess = () => resolve(opening.result);
  });
  const items = await inCache(profile, (cache) => cache.readAllItems());
  const transaction = database.transaction('items', 'readwrite');
  for (const item of items) transaction.objectStore('items').put(change(item));
  await new Promise((resolve) => transaction.addEventListener('complete', resolve));
  database.close();
}

const flip = (bytes: Uint8Array | null) => (bytes ?? new Uint8Array(1)).map((byte) => byte ^ 1);

describe.each<[string, (item: CachedItem) => unknown]>([
  ['nothing but its id', ({ id }) => ({ id })],
  ['a hash that is too short', (item) => ({ ...item, bodyHash: item.bodyHash.subarray(1) })],
  ['numbers that are none', (item) => ({ ...item, version: Number.NaN })],
  ['texts for numbers', (item) => ({ ...item, counter: `${item.counter}`, flags: '0' })],
  ['no bytes where bytes were', (item) => ({ ...item, bodyHash: null })],
  ['other bytes and another hash', (item) => ({ ...item, body: flip(item.body), bodyHash: flip(item.bodyHash) })],
  ['a later version', (item) => ({ ...item, version: item.version + 7 })],
])('kept items of which there is %s', (_, change) => {
  it('are read anew, without a password and without an alarm', async () => {
    const { profile } = await leftBrowser();
    await damageItems(profile, change);
    const tab = await profile.openTab();
    expect(tab.status).toBe('unlocked');
    await tab.until(() => tab.titles().join() === 'Kept at the relay');
    expect(tab.alarms).toEqual([]);
  });
});

/** The same, with words that were not sent. */
async function withUnsentWords() {
  const { person, profile } = await leftBrowser();
  const tab = await profile.openTab();
  await tab.vault.writeDraft({ conversationId: null, text: 'Not sent yet' });
  profile.closeTab(tab);
  await profile.whenVaultIsFree();
  return { person, profile };
}

it.each<[string, object]>([
  ['the place of the next sync', { cursor: { counter: 'x' } }],
  ['the generation', { generation: Number.NaN }],
  ['the batch on its way', { pending: { counter: 1 } }],
  ['the floor', { floor: 7 }],
  ['the time of the settled turns', { turnsAfterMs: null }],
])('a mark whose member is damaged, %s, costs neither the session nor words that were not sent', async (_, change) => {
  const { profile } = await withUnsentWords();
  await changeMark(profile, () => change);
  const tab = await profile.openTab();
  expect(tab.status).toBe('unlocked');
  await tab.until(() => tab.titles().join() === 'Kept at the relay');
  expect([tab.alarms, await tab.vault.readDraft({ conversationId: null })]).toEqual([[], 'Not sent yet']);
});

it.each<[string, object]>([
  ['nothing', { head: undefined }],
  ['a hash that is too short', { head: { counter: 9, hash: new Uint8Array(3), body: new Uint8Array(9) } }],
])('a mark whose head is %s is said to be damaged, and costs no words that were not sent', async (_, change) => {
  const { person, profile } = await withUnsentWords();
  await changeMark(profile, () => change);
  const tab = await profile.openTab();
  expect(tab.status).toBe('locked');
  await tab.vault.unlock(person);
  await tab.until(() => tab.titles().join() === 'Kept at the relay');
  expect([tab.alarms, await tab.vault.readDraft({ conversationId: null })]).toEqual([
    ['cache-damaged'],
    'Not sent yet',
  ]);
});

it('a mark that does not say whose it is ends the start locked, and the password opens it with everything', async () => {
  const { person, profile } = await leftBrowser();
  await changeMark(profile, () => ({ head: null, owner: new Uint8Array(3) }) as unknown as VaultMark);
  const tab = await profile.openTab();
  expect(tab.status).toBe('locked');
  await tab.vault.unlock(person);
  await tab.until(() => tab.titles().join() === 'Kept at the relay');
});

it('a cache that cannot be read ends the start with a session and an alarm', async () => {
  const { profile } = await leftBrowser();
  vi.spyOn(profile.indexedDB, 'open').mockImplementation(() => {
    throw new DOMException('disk', 'UnknownError');
  });
  const tab = await profile.openTab();
  expect([tab.status, tab.alarms]).toEqual(['signed-out', ['storage-unavailable']]);
});
