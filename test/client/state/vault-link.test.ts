import { describe, expect, test } from 'vitest';
import { createStore } from '../../../client/state/store.ts';
import { createVaultLink } from '../../../client/state/vault-link.ts';
import type { VaultApi, VaultEvent } from '../../../client/vault/vault-api.ts';

type Opened = { readonly emit: (event: VaultEvent) => void; readonly breakDown: () => void };

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

  test('a vault that breaks before its first word is broken, a later error is not', () => {
    const early = linked();
    early.link.start();
    early.opened[0]!.breakDown();
    expect(early.store.getState().session.status).toBe('broken');
    const late = linked();
    late.link.start();
    late.opened[0]!.emit(session('unlocked'));
    late.opened[0]!.breakDown();
    expect(late.store.getState().session.status).toBe('unlocked');
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
