import { describe, expect, test } from 'vitest';
import { createStore } from '../../../../client/page/state/store.ts';
import { createVaultLink } from '../../../../client/page/state/vault-link.ts';
import { StartFailure } from '../../../../client/vault/api/open-vault.ts';
import type { FailureCode, VaultApi, VaultEvent } from '../../../../client/vault/api/vault-api.ts';

type Opened = { readonly emit: (event: VaultEvent) => void; readonly breakDown: (code: FailureCode) => void };

/** A link whose vaults the test speaks for. */
function linked(methods: Partial<VaultApi> = {}) {
  const store = createStore();
  const opened: Opened[] = [];
  const link = createVaultLink(store, (onBroken) => {
    const start: VaultApi['start'] = (onEvent) => {
      opened.push({ emit: onEvent, breakDown: onBroken });
      return Promise.resolve();
    };
    return { start, ...methods } as VaultApi;
  });
  return { store, link, opened };
}
const session = (status: 'unlocked' | 'locked' | 'signed-out'): VaultEvent => ({
  type: 'session',
  status,
  needsNewPassword: false,
});

describe('createVaultLink', () => {
  test('nothing is loaded before it is needed, and then once', async () => {
    const { link, opened, store } = linked({ lock: () => Promise.resolve() });
    expect(opened).toHaveLength(0);
    expect(store.getState().session.status).toBe('idle');
    link.start();
    await link.call((vault) => vault.lock());
    expect(opened).toHaveLength(1);
    expect(store.getState().session.status).toBe('starting');
  });

  test('events end in the store', () => {
    const { link, opened, store } = linked();
    link.start();
    opened[0]!.emit(session('unlocked'));
    expect(store.getState().session.status).toBe('unlocked');
  });

  test.each(['locked', 'signed-out'] as const)(
    '%s after unlocked: that vault ended itself, a new one opens',
    (status) => {
      const { link, opened, store } = linked();
      link.start();
      opened[0]!.emit(session('unlocked'));
      opened[0]!.emit(session(status));
      expect(opened).toHaveLength(2);
      opened[1]!.emit(session('unlocked'));
      // A late word of the old one is not heard.
      opened[0]!.emit(session('signed-out'));
      expect(store.getState().session.status).toBe('unlocked');
      expect(opened).toHaveLength(2);
    },
  );

  test.each(['locked', 'signed-out'] as const)('%s at the start: the same vault goes on', (status) => {
    const { link, opened } = linked();
    link.start();
    opened[0]!.emit(session(status));
    opened[0]!.emit(session('unlocked'));
    expect(opened).toHaveLength(1);
  });

  test('a vault that breaks before its first word is broken, and by the first reason; a later error is not', () => {
    const early = linked();
    early.link.start();
    early.opened[0]!.breakDown('webassembly-off');
    early.opened[0]!.breakDown('worker-failed');
    expect(early.store.getState().session).toMatchObject({ status: 'broken', brokenBy: 'webassembly-off' });
    const late = linked();
    late.link.start();
    late.opened[0]!.emit(session('unlocked'));
    late.opened[0]!.breakDown('worker-failed');
    expect(late.store.getState().session).toMatchObject({ status: 'unlocked', brokenBy: null });
  });

  test('a start that the vault refuses breaks it by that reason, and one without a reason by this browser', async () => {
    for (const [reason, code] of [
      [{ code: 'locks-missing' }, 'locks-missing'],
      [new TypeError('x is not a function'), 'browser-failed'],
    ] as const) {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- as Comlink hands it over
      const { link, store } = linked({ start: () => Promise.reject(reason) });
      link.start();
      await expect.poll(() => store.getState().session.brokenBy).toBe(code);
    }
  });

  test('a browser that starts no Worker is broken by that, and a call there fails and does not throw', async () => {
    const store = createStore();
    let tried = 0;
    const link = createVaultLink(store, () => {
      tried++;
      throw new StartFailure('workers-off');
    });
    link.start();
    expect(store.getState().session).toMatchObject({ status: 'broken', brokenBy: 'workers-off' });
    const failure = { ok: false, failure: { code: 'workers-off' } };
    expect(await link.call((vault) => vault.lock())).toEqual(failure);
    expect(tried).toBe(1);
  });

  test('calls that wait for a vault that breaks end with the reason, and so do later ones; an answered one stands', async () => {
    const { link, opened } = linked({ lock: () => new Promise(() => undefined), signOut: () => Promise.resolve() });
    expect(await link.call((vault) => vault.signOut())).toEqual({ ok: true, value: undefined });
    const waiting = link.call((vault) => vault.lock());
    opened[0]!.breakDown('part-missing');
    const failure = { ok: false, failure: { code: 'part-missing' } };
    expect(await waiting).toEqual(failure);
    expect(await link.call((vault) => vault.signOut())).toEqual(failure);
  });

  test('call: a value, or the failure, never a rejection', async () => {
    const good = linked({ readDraft: () => Promise.resolve('words') });
    expect(await good.link.call((vault) => vault.readDraft({ conversationId: null }))).toEqual({
      ok: true,
      value: 'words',
    });
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- as Comlink hands it over
    const bad = linked({ readDraft: () => Promise.reject({ code: 'too-many-attempts', retryAfterMs: 5000 }) });
    expect(await bad.link.call((vault) => vault.readDraft({ conversationId: null }))).toEqual({
      ok: false,
      failure: { code: 'too-many-attempts', retryAfterMs: 5000 },
    });
  });
});
