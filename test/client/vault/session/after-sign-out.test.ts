import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VaultMark } from '../../../../client/vault/store/cached-shapes.ts';
import type { BrowserProfile } from '../../../parts/users/vaults/browser-profile.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { inCache } from '../../../parts/users/vaults/kept-cache.ts';
import {
  allOf,
  answerInstead,
  changeJson,
  jsonResponse,
  pathOf,
  storeConversation,
} from '../../../parts/relay/tamper.ts';
import type { VaultTab } from '../../../parts/users/vaults/vault-tab.ts';
import type { Person } from '../../../parts/users/person.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

describe('a browser that was signed out', () => {
  /** Signs out, and says what the relay had shown at a point of this account's history. */
  async function signedOut() {
    const { person, profile, tab } = await lab.signUp();
    const elsewhere = await lab.signIn(person);
    await storeConversation(tab, 'Before');
    await elsewhere.tab.until(() => elsewhere.tab.titles().join() === 'Before');
    const old = await keysAndItems(profile, tab, person);
    return { person, profile, elsewhere, old };
  }

  /** A sign-in of another browser, as the relay answered it. */
  async function keysAndItems(profile: BrowserProfile, tab: VaultTab, person: Person) {
    const witness = lab.profile();
    let keys: unknown;
    let items: unknown;
    witness.intercept = async (request, next) => {
      const response = await next(request);
      if (pathOf(request) === '/v1/sign-in/finish') ({ keys } = (await response.clone().json()) as { keys: unknown });
      if (pathOf(request) === '/v1/items' && request.method === 'GET') items ??= await response.clone().json();
      return response;
    };
    const { tab: seen } = await lab.signIn(person, witness);
    await seen.until(() => seen.titles().join() === 'Before');
    await storeConversation(tab, 'After');
    await tab.vault.relayView({ conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' });
    await tab.vault.signOut();
    expect(await inCache(profile, (cache) => cache.readAllItems())).toEqual([]);
    return { keys, items };
  }

  it('accepts the newest state again without a word, and a newer one that descends from it', async () => {
    const { person, profile, elsewhere } = await signedOut();
    await storeConversation(elsewhere.tab, 'While away');
    const { tab } = await lab.signIn(person, profile);
    await tab.until(() => tab.titles().length === 3);
    expect(tab.alarms).toEqual([]);
    await inCache(profile, async (cache) => expect((await cache.readMark())?.floor).toBeNull());
  });

  it.each([['no hash'], ['no counter']])(
    'lets its owner in again where what it remembers is damaged: %s',
    async (what) => {
      const { person, profile } = await signedOut();
      const database = await new Promise<IDBDatabase>((resolve) => {
        const opening = profile.indexedDB.open('sotto');
        opening.onsuccess = () => resolve(opening.result);
      });
      const rows = database.transaction('remembered', 'readwrite').objectStore('remembered');
      const [row] = await new Promise<object[]>((resolve) => {
        const reading = rows.getAll();
        reading.onsuccess = () => resolve(reading.result as object[]);
      });
      const { transaction } = rows;
      rows.put({ ...row, [what === 'no hash' ? 'hash' : 'counter']: null });
      await new Promise((resolve) => transaction.addEventListener('complete', resolve));
      database.close();
      const { tab } = await lab.signIn(person, profile);
      await tab.until(() => tab.titles().length === 2);
      expect(tab.alarms).toEqual([]);
    },
  );

  it('refuses an older state after it signs in again (M16)', async () => {
    const { person, profile, old } = await signedOut();
    profile.intercept = async (request, next) => {
      const response = await next(request);
      if (pathOf(request) === '/v1/sign-in/finish') {
        return Response.json({ ...((await response.json()) as object), keys: old.keys });
      }
      if (pathOf(request) === '/v1/items' && request.method === 'GET') return Response.json(old.items);
      return response;
    };
    const { tab } = await lab.signIn(person, profile);
    await tab.until(() => tab.alarms.length > 1);
    expect(new Set(tab.alarms)).toEqual(new Set(['vault-rolled-back']));
    expect(tab.titles()).toEqual([]);
    profile.intercept = null;
    await tab.until(() => tab.titles().length === 2);
  });

  it('refuses a newer state whose chain does not lead through what it had accepted', async () => {
    const { person, profile, elsewhere } = await signedOut();
    await storeConversation(elsewhere.tab, 'While away 1');
    await storeConversation(elsewhere.tab, 'While away 2');
    profile.intercept = changeJson(/^\/v1\/heads$/, (answer: { heads: unknown[] }) => ({
      ...answer,
      heads: answer.heads.slice(1),
    }));
    const { tab } = await lab.signIn(person, profile);
    await tab.until(() => tab.alarms.length > 0);
    expect([tab.alarms[0], tab.titles()]).toEqual(['vault-tampered', []]);
  });

  it('refuses a state older than one that a sign-in showed, although that one was never followed (M16)', async () => {
    const { person, profile, elsewhere } = await signedOut();
    await storeConversation(elsewhere.tab, 'While away');
    let between: unknown;
    const witness = lab.profile();
    witness.intercept = changeJson(/^\/v1\/sign-in\/finish$/, (answer: { keys: unknown }) => {
      between = structuredClone(answer.keys);
    });
    await lab.signIn(person, witness);
    await storeConversation(elsewhere.tab, 'Newest');
    const silent = answerInstead(/^\/v1\/(items|heads)$/, () => Promise.reject(new TypeError('Failed to fetch')));
    profile.intercept = silent;
    const { tab } = await lab.signIn(person, profile);
    await tab.vault.signOut();
    profile.intercept = allOf(
      silent,
      changeJson(/^\/v1\/sign-in\/finish$/, (answer: object) => ({ ...answer, keys: between })),
    );
    const { tab: misled } = await lab.signIn(person, profile);
    expect([misled.status, misled.alarms]).toEqual(['unlocked', ['vault-rolled-back']]);
  });

  /** Heads of a history that the relay lets another device write, and keeps to itself. */
  async function forkedHeads(person: Person, length: number): Promise<{ counter: number; body: string }[]> {
    const heads: { counter: number; body: string }[] = [];
    const profile = lab.profile();
    const { tab } = await lab.signIn(person, profile);
    await tab.vault.relayView({ conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' });
    profile.intercept = async (request, next) => {
      if (pathOf(request) !== '/v1/items') return next(request);
      if (request.method === 'GET') throw new TypeError('Failed to fetch');
      const { head } = (await request.json()) as { head: { counter: number; body: string } };
      heads.push(head);
      return jsonResponse({ format: 1, counter: head.counter });
    };
    for (const theme of ['dark', 'light', 'dark'] as const) {
      if (heads.length === length) break;
      const before = heads.length;
      await tab.vault.setTheme({ theme });
      await tab.until(() => heads.length > before);
    }
    await tab.vault.lock();
    return heads;
  }

  it.each([
    ['as long as', 1],
    ['longer than', 2],
  ])(
    'goes on refusing a history that is not its own and is %s it, after one more sign-out (M19)',
    async (_, length) => {
      const { person, profile, tab } = await lab.signUp();
      await tab.vault.relayView({ conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' });
      const heads = await forkedHeads(person, length);
      await tab.vault.setTheme({ theme: 'light' });
      await tab.until(() => profile.requests.some(({ method, path }) => method === 'POST' && path === '/v1/items'));
      await tab.vault.relayView({ conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' });
      const own = await inCache(profile, (cache) => cache.readMark());
      await tab.vault.signOut();
      profile.intercept = async (request, next) => {
        if (/^\/v1\/(items|heads)$/.test(pathOf(request))) throw new TypeError('Failed to fetch');
        const response = await next(request);
        if (pathOf(request) !== '/v1/sign-in/finish') return response;
        const answer = (await response.json()) as { keys: object };
        return jsonResponse({ ...answer, keys: { ...answer.keys, head: heads.at(-1) } });
      };
      for (const times of [1, 2]) {
        const { tab: misled } = await lab.signIn(person, profile);
        expect([times, misled.status, misled.alarms]).toEqual([
          times,
          'unlocked',
          length === 1 ? ['vault-tampered'] : [],
        ]);
        await misled.vault.signOut();
        const remembered = await inCache(profile, (cache) => cache.readRemembered(own?.owner ?? new Uint8Array(0)));
        expect(remembered).toMatchObject({ counter: own?.head.counter, hash: own?.head.hash });
      }
    },
  );

  it('remembers each account apart, and no more than 64', async () => {
    const profile = lab.profile();
    await inCache(profile, async (cache) => {
      const markOf = (owner: number): VaultMark => ({
        name: 'vault',
        owner: new Uint8Array(32).fill(owner),
        generation: 1,
        head: { counter: owner + 1, hash: new Uint8Array(32).fill(owner), body: new Uint8Array(1) },
        cursor: null,
        pending: null,
        turnsAfterMs: 0,
      });
      for (let owner = 0; owner < 66; owner++) {
        await cache.writeMark(markOf(owner));
        await cache.wipeVault();
      }
      const counterOf = async (owner: number) => (await cache.readRemembered(markOf(owner).owner))?.counter ?? null;
      expect(await Promise.all([0, 1, 2, 65].map(counterOf))).toEqual([null, null, 3, 66]);
    });
  });
});
