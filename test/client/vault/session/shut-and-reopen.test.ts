import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { VaultMark } from '../../../../client/vault/store/cached-shapes.ts';
import { CiphertextCache } from '../../../../client/vault/store/ciphertext-cache.ts';
import { openIndexedDbCache } from '../../../../client/worker/indexeddb-cache.ts';
import type { BrowserProfile } from '../../../parts/users/vaults/browser-profile.ts';
import { VaultStore } from '../../../../client/vault/store/vault-store.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { sampleKeyring } from '../../../parts/crypto/sample-account.ts';
import { pathOf, storeConversation } from '../../../parts/relay/tamper.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

async function twoTabs() {
  const { person, profile, tab } = await lab.signUp();
  const other = await profile.openTab();
  expect([tab.status, other.status]).toEqual(['unlocked', 'unlocked']);
  return { person, profile, tab, other };
}

describe('the end of a session', () => {
  it('shuts every tab before the relay is told, even one that never answers', async () => {
    const { profile, tab, other } = await twoTabs();
    const held = Promise.withResolvers<void>();
    profile.intercept = async (request, next) => {
      if (request.url.endsWith('/v1/sign-out')) await held.promise;
      return next(request);
    };
    const signedOut = tab.vault.signOut();
    await other.until(() => other.isEnded, 5_000);
    expect(await tab.refusal(tab.vault.openConversation({ conversationId: null }))).toEqual({ code: 'session-ended' });
    held.resolve();
    await signedOut;
    expect([tab.isEnded, tab.status, other.status]).toEqual([true, 'signed-out', 'signed-out']);
  });

  it('leaves nothing of the vault in this browser and raises no alarm, although a sync was on its way', async () => {
    const { person, profile, tab } = await lab.signUp();
    const elsewhere = await lab.signIn(person);
    const [synced, signedOut] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const [isSyncing, isSigningOut] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    profile.intercept = async (request, next) => {
      const response = await next(request);
      const path = pathOf(request);
      if (path === '/v1/items' && request.method === 'GET') {
        isSyncing.resolve();
        await synced.promise;
      } else if (path === '/v1/sign-out') {
        isSigningOut.resolve();
        await signedOut.promise;
      }
      return response;
    };
    await storeConversation(elsewhere.tab, 'Written elsewhere');
    await isSyncing.promise;
    const ended = tab.vault.signOut();
    await isSigningOut.promise;
    synced.resolve();
    await profile.whenVaultIsFree();
    signedOut.resolve();
    await ended;
    const cache = new CiphertextCache(openIndexedDbCache({ indexedDB: profile.indexedDB, IDBKeyRange }));
    await cache.open();
    expect([await cache.readMark(), await cache.readSession(), await cache.readAllItems()]).toEqual([null, null, []]);
    expect(tab.alarms).toEqual([]);
    cache.close();
  });

  it('shuts every tab when storage fails, and says that the key is still on the disk', async () => {
    const { tab, other } = await twoTabs();
    const failure = new DOMException('disk', 'UnknownError');
    const wipe = vi.spyOn(CiphertextCache.prototype, 'wipeKey').mockRejectedValueOnce(failure);
    expect(await tab.refusal(tab.vault.lock())).toEqual({ code: 'storage-unavailable' });
    wipe.mockRestore();
    expect([tab.isEnded, tab.status]).toEqual([true, 'locked']);
    await other.until(() => other.isEnded, 5_000);
  });
});

describe('the cache of an account', () => {
  const markOf = (owner: number): VaultMark => ({
    name: 'vault',
    owner: new Uint8Array(32).fill(owner),
    generation: 1,
    head: { counter: 1, hash: new Uint8Array(32), body: new Uint8Array(1) },
    cursor: null,
    pending: null,
    turnsAfterMs: 0,
  });

  it('takes nothing more once it was wiped, or is of another account', async () => {
    const cache = new CiphertextCache(openIndexedDbCache({ indexedDB: new IDBFactory(), IDBKeyRange }));
    await cache.open();
    const commit = (owner: number) => cache.commit({ mark: markOf(owner), puts: [], deletes: [] });
    await cache.writeMark(markOf(1));
    await commit(1);
    await expect(commit(2)).rejects.toThrow('session-ended');
    expect((await cache.readMark())?.owner).toEqual(markOf(1).owner);
    await cache.wipeVault();
    await expect(commit(1)).rejects.toThrow('session-ended');
    expect(await cache.readMark()).toBeNull();
    cache.close();
  });

  it('takes nothing from a vault that has ended', async () => {
    const cache = new CiphertextCache(openIndexedDbCache({ indexedDB: new IDBFactory(), IDBKeyRange }));
    await cache.open();
    await cache.writeMark(markOf(1));
    const watcher = { onChange: () => undefined, onCommit: () => undefined };
    const store = new VaultStore(cache, sampleKeyring(), watcher, AbortSignal.abort());
    await expect(store.updateMark({ turnsAfterMs: 5 })).rejects.toThrow('session-ended');
    const change = { head: markOf(1).head, puts: [], deletes: [], isWhole: true, cursor: null };
    await expect(store.commit(change)).rejects.toThrow('session-ended');
    expect(await cache.readMark()).toEqual(markOf(1));
    cache.close();
  });
});

/** Lets a sign-in bring what an earlier one of this account brought (M8, M16). */
function replayKeys(profile: BrowserProfile, keys: unknown): void {
  profile.intercept = async (request, next) => {
    const response = await next(request);
    if (!request.url.endsWith('/v1/sign-in/finish') || !response.ok) return response;
    const body = { ...((await response.json()) as object), keys };
    return Response.json(body);
  };
}

async function keysAtSignIn(profile: BrowserProfile, signIn: () => Promise<void>): Promise<unknown> {
  let keys: unknown;
  profile.intercept = async (request, next) => {
    const response = await next(request);
    if (request.url.endsWith('/v1/sign-in/finish')) ({ keys } = (await response.clone().json()) as { keys: unknown });
    return response;
  };
  await signIn();
  profile.intercept = null;
  expect(keys).toBeDefined();
  return keys;
}

describe('a browser that remembers a newer head', () => {
  async function lockedWithOldKeys() {
    const { person } = await lab.signUp();
    const profile = lab.profile();
    const tab = await profile.openTab();
    const keys = await keysAtSignIn(profile, () => tab.vault.signIn(person));
    await tab.vault.setTheme({ theme: 'dark' });
    await tab.until(() => profile.requests.some(({ method, path }) => method === 'POST' && path === '/v1/items'));
    // Waits for the vault's lock, so that the batch is kept.
    await tab.vault.relayView({ conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' });
    await tab.vault.lock();
    const locked = await profile.openTab();
    expect(locked.status).toBe('locked');
    return { person, profile, tab: locked, keys };
  }

  it('is not unlocked by older key material, and is by the newest', async () => {
    const { person, profile, tab, keys } = await lockedWithOldKeys();
    replayKeys(profile, keys);
    expect(await tab.refusal(tab.vault.unlock(person))).toEqual({ code: 'vault-rolled-back' });
    expect(tab.status).toBe('locked');
    profile.intercept = null;
    await tab.vault.unlock(person);
    expect([tab.status, tab.alarms]).toEqual(['unlocked', []]);
  });

  it('says so when a sign-in brings older key material', async () => {
    const { person, profile, tab, keys } = await lockedWithOldKeys();
    replayKeys(profile, keys);
    await tab.vault.signIn(person);
    expect([tab.status, tab.alarms[0]]).toEqual(['unlocked', 'vault-rolled-back']);
  });

  it("is not unlocked into another account, whose vault would take this one's place", async () => {
    const { profile, tab } = await lockedWithOldKeys();
    const other = await lab.signUp();
    profile.intercept = async (request, next) => {
      if (!request.url.endsWith('/v1/unlock/start')) return next(request);
      const { loginRequest } = (await request.json()) as { loginRequest: string };
      const start = other.profile.requests.find(({ path }) => path === '/v1/sign-up/start');
      const { nameTag } = JSON.parse(start?.body ?? '{}') as { nameTag: string };
      const body = JSON.stringify({ format: 1, nameTag, loginRequest });
      const headers = { 'content-type': 'application/json' };
      return next(new Request(`${lab.origin}/v1/sign-in/start`, { method: 'POST', headers, body }));
    };
    expect(await tab.refusal(tab.vault.unlock(other.person))).toEqual({ code: 'vault-tampered' });
    expect(tab.status).toBe('locked');
  });
});
