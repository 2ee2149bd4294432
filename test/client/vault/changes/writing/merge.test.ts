import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maximumBatchLength } from '../../../../../crypto/protocol/messages/item-messages.ts';
import { prunableItems } from '../../../../../client/vault/changes/outbox/housekeeping.ts';
import { planBatch } from '../../../../../client/vault/changes/writing/plan-batch.ts';
import { newestSettings } from '../../../../../client/vault/items/settings.ts';
import { newId, PaperDevice, PaperVault, stoppedTurn } from '../../../../parts/vault/paper-vault.ts';

type Action =
  | { readonly kind: 'ask' | 'rename' | 'delete'; readonly device: number; readonly which: number }
  | { readonly kind: 'theme'; readonly device: number; readonly theme: 'system' | 'light' | 'dark' }
  | { readonly kind: 'flush' | 'sync' | 'offline' | 'online'; readonly device: number };

const device = fc.nat(2);
const which = fc.nat(3);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask' as const), device, which }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rename' as const), device, which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), device, which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('theme' as const),
      device,
      theme: fc.constantFrom('system' as const, 'light' as const, 'dark' as const),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom('flush' as const, 'sync' as const), device }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('offline' as const, 'online' as const), device }) },
);

/** Runs a story on three devices, then lets all of them come home. */
function tell(story: readonly Action[]) {
  const vault = new PaperVault();
  const devices = [new PaperDevice(vault), new PaperDevice(vault), new PaperDevice(vault)];
  const asked: string[] = [];
  const known: string[] = [];
  const deleted = new Set<string>();
  const renames = new Map<string, { value: string; setAtMs: number }[]>();
  let clock = 1_000;
  for (const step of story) {
    clock += 1;
    const at = devices[step.device];
    if (at === undefined) continue;
    if (step.kind === 'offline' || step.kind === 'online') at.isOnline = step.kind === 'online';
    else if (step.kind === 'flush') at.flush();
    else if (step.kind === 'sync') at.sync();
    else if (step.kind === 'theme') at.do({ kind: 'theme', theme: step.theme, setAtMs: clock, itemId: newId() });
    else if (step.kind === 'ask') {
      const existing = [...at.contents.conversations.keys()].toSorted()[step.which];
      const conversationId = existing ?? newId();
      const text = `question ${asked.length}`;
      asked.push(text);
      known.push(conversationId);
      at.do(stoppedTurn({ conversationId, isNew: existing === undefined, text, atMs: clock }));
    } else {
      const conversationId = 'which' in step ? [...at.contents.conversations.keys()].toSorted()[step.which] : undefined;
      if (conversationId === undefined) continue;
      if (step.kind === 'delete') {
        deleted.add(conversationId);
        at.do({ kind: 'delete', conversationId });
      } else {
        const title = { value: `title ${clock}`, setAtMs: clock };
        renames.set(conversationId, [...(renames.get(conversationId) ?? []), title]);
        at.do({ kind: 'rename', conversationId, title: title.value, setAtMs: title.setAtMs });
      }
    }
  }
  for (const each of devices) each.isOnline = true;
  for (let round = 0; round < 200 && devices.some((each) => each.waiting > 0); round++) {
    for (const each of devices) each.flush();
  }
  for (const each of devices) each.sync();
  return { vault, devices, asked, known, deleted, renames };
}

/** Long ones: a conflict takes a device that knows a conversation, one that changes it, and one that was away. */
const stories = fc.array(action, { minLength: 30, maxLength: 90, size: 'max' });
const runs = { numRuns: 300 };

describe('merging: any story of three devices', () => {
  it('ends with the same vault on all of them, and with nothing waiting', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const { devices } = tell(story);
        const states = devices.map(({ contents }) => ({
          conversations: Object.fromEntries(contents.conversations),
          messages: Object.fromEntries(contents.messages),
          replies: Object.fromEntries(contents.replies),
          settings: Object.fromEntries(contents.settings),
        }));
        expect(devices.map(({ waiting }) => waiting)).toEqual([0, 0, 0]);
        expect(states[1]).toEqual(states[0]);
        expect(states[2]).toEqual(states[0]);
      }),
      runs,
    );
  });

  it('loses no word: each is stored, was deleted with its conversation, or went back to who wrote it', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const { vault, devices, asked, known, deleted } = tell(story);
        const stored = [...vault.items.values()].flatMap(({ content }) =>
          content?.type === 'message' ? content.text : [],
        );
        const back = devices.flatMap(({ givenBack }) => givenBack);
        expect(new Set(stored).size).toBe(stored.length);
        // Each came to exactly one end, and only with its conversation did a stored one go.
        expect([...vault.storedTexts, ...back].toSorted()).toEqual(asked.toSorted());
        const gone = asked.filter((text) => vault.storedTexts.has(text) && !stored.includes(text));
        expect(gone.filter((text) => !deleted.has(known[asked.indexOf(text)] ?? ''))).toEqual([]);
      }),
      runs,
    );
  });

  it('brings back nothing that was deleted, and leaves no orphan', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const { devices, deleted } = tell(story);
        const [{ contents } = devices[0]!] = devices;
        for (const id of deleted) expect(contents.conversations.has(id)).toBe(false);
        for (const { conversationId } of contents.messages.values()) {
          expect(contents.conversations.has(conversationId)).toBe(true);
        }
        for (const [id, message] of contents.messages) {
          expect(contents.replies.get(message.replyItemId)?.parentId).toBe(id);
        }
        expect(contents.replies.size).toBe(contents.messages.size);
      }),
      runs,
    );
  });

  it('gives every field to its last writer', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const { devices, deleted, renames } = tell(story);
        const [{ contents } = devices[0]!] = devices;
        for (const [id, given] of renames) {
          const last = given.toSorted((a, b) => b.setAtMs - a.setAtMs)[0];
          expect(contents.conversations.get(id)?.title).toEqual(deleted.has(id) ? undefined : last);
        }
        const themes = story.flatMap((step) => (step.kind === 'theme' ? step.theme : []));
        expect(newestSettings(contents.settings.values()).theme?.value).toBe(themes.at(-1));
      }),
      runs,
    );
  });
});

describe('planBatch', () => {
  const oneConversation = (messages: number) => {
    const vault = new PaperVault();
    const home = new PaperDevice(vault);
    const conversationId = newId();
    for (let n = 0; n < messages; n++) {
      home.do(stoppedTurn({ conversationId, isNew: n === 0, text: `question ${n}`, atMs: n + 1 }));
      home.flush();
    }
    return { vault, home, conversationId };
  };

  it('deletes a conversation that is larger than a batch in pieces, itself first', () => {
    const { vault, home, conversationId } = oneConversation(300);
    expect(home.contents.messages.size).toBe(300);
    home.do({ kind: 'delete', conversationId });
    home.flush();
    expect([home.contents.conversations.size, home.waiting]).toEqual([0, 1]);
    for (let n = 0; n < 5; n++) home.flush();
    expect([home.contents.messages.size, home.contents.replies.size, home.waiting]).toEqual([0, 0, 0]);
    expect(vault.history.every((batch) => batch.split(',').length <= maximumBatchLength)).toBe(true);
  });

  it('stores one compact answer however many devices made one', () => {
    const { vault, home, conversationId } = oneConversation(1);
    const [message] = home.contents.messages.values();
    const replyId = message?.replyItemId ?? '';
    const reply = home.contents.replies.get(replyId);
    const other = new PaperDevice(vault);
    if (reply === undefined) throw new Error('There is no answer.');
    for (const each of [home, other]) {
      each.do({ kind: 'reply', itemId: replyId, content: { ...reply, text: 'mine' }, title: 'A title' });
      each.flush();
    }
    expect(home.contents.replies.get(replyId)?.text).toBe('');
    expect(home.contents.conversations.get(conversationId)?.title.value).toBe('question 0');
    expect([home.waiting, other.waiting]).toEqual([0, 0]);
  });

  it('forgets tombstones only when they are old', () => {
    const { home, conversationId } = oneConversation(1);
    home.do({ kind: 'delete', conversationId });
    home.flush();
    const month = 31 * 86_400_000;
    expect(prunableItems(home.contents, 1_000)).toEqual([]);
    expect(prunableItems(home.contents, month)).toHaveLength(3);
    home.do({ kind: 'prune' });
    home.flush(month);
    expect(home.contents.rows.size).toBe(0);
    expect(planBatch(home.contents, [], month).prune).toEqual([]);
  });

  it('an edit of what was deleted and forgotten is dropped, a question into it goes back to its writer', () => {
    const { vault, home, conversationId } = oneConversation(1);
    const away = new PaperDevice(vault);
    away.isOnline = false;
    away.do({ kind: 'rename', conversationId, title: 'Too late', setAtMs: 9e12 });
    away.do(stoppedTurn({ conversationId, isNew: false, text: 'Too late as well', atMs: 5 }));
    home.do({ kind: 'delete', conversationId });
    home.flush();
    home.do({ kind: 'prune' });
    home.flush(31 * 86_400_000);
    away.isOnline = true;
    away.sync();
    away.flush();
    expect([away.waiting, away.givenBack, away.contents.rows.size]).toEqual([0, ['Too late as well'], 0]);
  });

  it('a question that was stored before its conversation was deleted does not go back to its writer', () => {
    const { vault, home, conversationId } = oneConversation(1);
    const question = stoppedTurn({ conversationId, isNew: false, text: 'Stored', atMs: 5 });
    home.do(question);
    home.flush();
    const away = new PaperDevice(vault);
    away.isOnline = false;
    // The answer to the call that stored it was lost.
    away.do({ ...question, stage: { name: 'failed', failure: { code: 'relay-unreachable' } } });
    away.do(stoppedTurn({ conversationId, isNew: false, text: 'Never stored', atMs: 6 }));
    home.do({ kind: 'delete', conversationId });
    home.flush();
    away.isOnline = true;
    away.sync();
    away.flush();
    expect([away.waiting, away.givenBack]).toEqual([0, ['Never stored']]);
  });
});
