import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { VaultFace } from '../../../../client/vault/api/vault-api.ts';
import { withCommands } from '../../../../client/vault/api/open-vault.ts';
import { operationType, OperationTypes } from '../../../../client/vault/changes/operations/operation.ts';
import { Protection } from '../../../../client/vault/enclave/protection.ts';
import { VaultError } from '../../../../client/vault/failures/vault-error.ts';
import { doChores, type Feature, type FeatureVault } from '../../../../client/vault/features/feature.ts';
import { features } from '../../../../client/vault/features/features.ts';
import { DeviceLab } from '../../../parts/users/vaults/device-lab.ts';
import { inCache } from '../../../parts/users/vaults/kept-cache.ts';

const listed: readonly Feature[] = features;
/** A vault of which a feature may take anything before one of its commands is called. */
const anything: FeatureVault = new Proxy({} as FeatureVault, { get: () => anything });

function doubled(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}

describe('features', () => {
  it('bring no command, no view and no kind of operation twice', () => {
    const commands = listed.flatMap(({ commands: make }) => Object.keys(make?.(anything) ?? {}));
    const views = listed.flatMap(({ views: declared = {} }) => Object.keys(declared));
    const kinds = listed.flatMap(({ operations = [] }) => operations.map(({ kind }) => kind));
    expect([doubled(commands), doubled(views), doubled(kinds)]).toEqual([[], [], []]);
    expect(commands.length + views.length + kinds.length).toBeGreaterThan(20);
    expect(doubled(['a', 'b', 'a'])).toEqual(['a']);
  });

  it('doChores: does the others although one fails, and then says why', async () => {
    const done: number[] = [];
    const failing = async () => Promise.reject(new VaultError('browser-storage-full'));
    const chores = [async () => void done.push(1), failing, async () => void done.push(2)];
    const all = doChores([{ chores }, {}, { chores: [async () => void done.push(3)] }], anything);
    await expect(all).rejects.toMatchObject({ code: 'browser-storage-full' });
    expect(done).toEqual([1, 2, 3]);
    await doChores([{ chores: [async () => void done.push(4)] }], anything);
    expect(done).toEqual([1, 2, 3, 4]);
  });

  it('OperationTypes: refuses two of one kind, and an operation that none brings', () => {
    const apply = () => true;
    const [one, same, other] = ['one', 'one', 'other'].map((kind) => operationType({ kind, fields: {}, apply }));
    if (one === undefined || same === undefined || other === undefined) throw new Error('three were made');
    expect(() => new OperationTypes([one, same])).toThrow('one kind');
    const types = new OperationTypes([one, other]);
    expect(types.parse('{"kind":"other"}')).toEqual({ type: other, operation: { kind: 'other' } });
    for (const text of ['{"kind":"third"}', '{"kind":"__proto__"}', '{}']) {
      expect(() => types.parse(text)).toThrow('no feature brings');
    }
    expect(() => types.parse('{"kind":"other","more":1}')).toThrow('more');
  });
});

describe('withCommands', () => {
  it('calls the vault itself by its own names, and runs every other name as a command', async () => {
    const calls: unknown[] = [];
    const face = {
      lock: async (...input: unknown[]) => void calls.push(['lock', ...input]),
      run: async (call: unknown) => void calls.push(call),
    } as unknown as VaultFace;
    const vault = withCommands(face);
    await vault.lock();
    await vault.setTheme({ theme: 'dark' });
    await vault.closeConversation();
    expect(calls).toEqual([
      ['lock'],
      { command: 'setTheme', input: { theme: 'dark' } },
      { command: 'closeConversation', input: undefined },
    ]);
  });

  it('is no promise: it can be handed on by an async function', async () => {
    const vault = withCommands({
      run: () => Promise.reject(new Error('nothing is to be run')),
    } as unknown as VaultFace);
    expect(await Promise.resolve(vault)).toBe(vault);
  });
});

describe('a command', () => {
  let lab: DeviceLab;
  beforeAll(async () => {
    lab = await DeviceLab.open();
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  it('that no feature brings is refused, whatever an object has under its name', async () => {
    const { tab } = await lab.signUp();
    for (const command of ['unheardOf', 'constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      const refused = tab.vault.run({ command: command as never, input: {} as never });
      expect(await tab.refusal(refused)).toEqual({ code: 'browser-failed' });
    }
    await tab.vault.run({ command: 'setTheme', input: { theme: 'dark' } });
    expect(tab.theme).toBe('dark');
  });

  it('with input of another form is refused, and nothing of it waits in this browser', async () => {
    const { tab, profile } = await lab.signUp();
    const wrong = [
      ['setTheme', { theme: 'purple' }],
      ['setTheme', {}],
      ['renameConversation', { conversationId: 5, title: 'A title' }],
      ['renameConversation', { conversationId: '__proto__', title: 'A title' }],
      ['deleteConversation', { conversationId: { a: 1 } }],
      ['deleteConversation', {}],
      ['setMinimum', { level: 'none' }],
      ['setConversationMinimum', { conversationId: 'x', level: 'any' }],
      ['send', { conversationId: null, text: 5 }],
      ['openConversation', undefined],
    ] as const;
    for (const [command, input] of wrong) {
      const refused = tab.vault.run({ command, input: input as never });
      expect([command, await tab.refusal(refused)]).toEqual([command, { code: 'browser-failed' }]);
    }
    expect(await tab.refusal(tab.vault.run(null as never))).toEqual({ code: 'browser-failed' });
    expect(await inCache(profile, (cache) => cache.readOutbox())).toEqual([]);
    await tab.vault.setTheme({ theme: 'dark' });
    expect(tab.theme).toBe('dark');
  });

  it('works, and the page hears of everything else, while the view of one feature fails', async () => {
    const { tab, profile } = await lab.openChat();
    const failing = vi.spyOn(Protection.prototype, 'minimum').mockImplementation(() => {
      throw new Error('on purpose');
    });
    try {
      await tab.vault.setTheme({ theme: 'dark' });
      expect([tab.theme, tab.alarms]).toEqual(['dark', ['browser-failed']]);
      const { conversationId, turnId } = await tab.ask('Still here?');
      expect((await tab.ended(turnId)).state).toMatchObject({ kind: 'ended', outcome: 'complete' });
      expect(tab.conversations.map(({ id }) => id)).toEqual([conversationId]);
      const other = await profile.openTab();
      expect([other.status, other.theme, other.minimum]).toEqual(['unlocked', 'dark', null]);
    } finally {
      failing.mockRestore();
    }
    await tab.vault.setMinimum({ level: 'any' });
    expect(tab.minimum).toMatchObject({ account: { value: 'any' } });
  });

  it('has told what it changed before it ends', async () => {
    const { tab } = await lab.signUp();
    for (const theme of ['light', 'dark', 'system', 'dark'] as const) {
      await tab.vault.setTheme({ theme });
      expect(tab.theme).toBe(theme);
    }
  });
});
