import fc from 'fast-check';
import * as v from 'valibot';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateAccountId, generateAccountKey } from '../../../crypto/account/account-key.ts';
import { createKeyring } from '../../../crypto/account/keyring.ts';
import type { ItemContent, ReplyContent, VerificationContent } from '../../../crypto/messages/item-contents.ts';
import {
  type ItemBatch,
  itemBatch,
  maximumBatchLength,
  maximumBatchTextLength,
  tombstoneFlag,
} from '../../../crypto/messages/item-messages.ts';
import { fromBase64Url, randomBytes, toBase64Url } from '../../../crypto/primitives/bytes.ts';
import { sodiumReady } from '../../../crypto/primitives/sodium.ts';
import { sealContent } from '../../../crypto/vault/item-content.ts';
import { keepHouse } from '../../../client/vault/housekeeping.ts';
import { type Operation, operationId } from '../../../client/vault/operation.ts';
import type { Outbox, QueuedOperation } from '../../../client/vault/outbox.ts';
import { type BatchPlan, planBatch } from '../../../client/vault/plan-batch.ts';
import { VaultContents } from '../../../client/vault/vault-contents.ts';
import { parseBatch } from '../../../server/vault/parse-batch.ts';
import { newId } from '../../parts/paper-vault.ts';

beforeAll(() => sodiumReady());

const month = 31 * 86_400_000;
const hash32 = toBase64Url(new Uint8Array(32));

function put(contents: VaultContents, id: string, content: ItemContent | null, version = 1): void {
  const row = { id, version, flags: content === null ? 1 : 0, expiresAt: 0, counter: 1, storedAtMs: 0, turnId: null };
  contents.set({ ...row, length: 0, bodyHash: new Uint8Array(32), bodyState: 'here' }, content);
}

function verification(more: Partial<VerificationContent> = {}): VerificationContent {
  const facts = { kind: 'development', level: 'any', model: 'm', measurement: null, release: null } as const;
  return { type: 'verification', format: 1, verifiedAtMs: 1, document: '{}', ...facts, ...more };
}

function reply(place: Pick<ReplyContent, 'conversationId' | 'parentId' | 'turnId'>, text = '', reasoning = '') {
  return {
    type: 'reply',
    format: 1,
    ...place,
    createdAtMs: 1,
    text,
    reasoning,
    outcome: 'complete',
    transcriptHash: hash32,
    model: 'm',
    engine: 'gguf',
    protection: '',
    usage: null,
  } satisfies ReplyContent;
}

type Shape = { readonly turns: number; readonly documents: 'each' | 'one' | 'none'; readonly isAnswered: boolean };

/** A conversation as it is stored; its turns in order. */
function addConversation(contents: VaultContents, { turns, documents, isAnswered }: Shape) {
  const conversationId = newId();
  const title = { value: 'A title', setAtMs: 1 };
  put(contents, conversationId, { type: 'conversation', format: 1, createdAtMs: 1, title, cacheSalt: hash32 });
  const shared = newId();
  const added = Array.from({ length: turns }, () => {
    const [messageId, replyItemId, turnId] = [newId(), newId(), newId()];
    const documentId = documents === 'each' ? newId() : shared;
    put(contents, messageId, {
      type: 'message',
      format: 1,
      conversationId,
      parentId: null,
      createdAtMs: 1,
      text: 'A question.',
      turnId,
      turnKey: hash32,
      replyItemId,
      ...(documents === 'none' ? {} : { verificationItemId: documentId }),
    });
    if (documents !== 'none' && !contents.rows.has(documentId)) put(contents, documentId, verification());
    if (isAnswered) put(contents, replyItemId, reply({ conversationId, parentId: messageId, turnId }));
    return { messageId, replyItemId, turnId };
  });
  return { conversationId, turns: added };
}

function queue(operations: readonly Operation[]): QueuedOperation[] {
  return operations.map((operation, index) => {
    return { id: operationId(operation), order: index + 1, revision: newId(), operation };
  });
}

const keyring = createKeyring({ accountId: generateAccountId(), epoch: 1, accountKey: generateAccountKey() });

/** The message of a plan: real seals, and random bytes for a head, which has one length. */
function seal({ writes, prune, finishTurns }: BatchPlan): ItemBatch {
  const items = writes.map(({ id, version, content }) => {
    const place = { itemId: fromBase64Url(id), version, expiresAt: 0 };
    const body = content === null ? '' : Buffer.from(sealContent({ keyring, ...place, content })).toString('base64url');
    return { id, version, expiresAt: 0, flags: content === null ? tombstoneFlag : 0, body };
  });
  const head = { counter: Number.MAX_SAFE_INTEGER, body: toBase64Url(randomBytes(202)) };
  return { format: 1, expectedHead: hash32, head, items, prune: [...prune], finishTurns: [...finishTurns] };
}

/** Plans and stores until nothing is left to do. @throws {Error} for a batch that a relay would refuse. */
function store(contents: VaultContents, operations: readonly Operation[], nowMs = 0) {
  let waiting = queue(operations);
  const batches: BatchPlan[] = [];
  for (let round = 0; round < 100; round++) {
    const plan = planBatch(contents, waiting, nowMs);
    const settled = new Set<QueuedOperation>(plan.settled);
    waiting = waiting.filter((queued) => !settled.has(queued));
    if (plan.writes.length + plan.prune.length + plan.finishTurns.length === 0) return { batches, waiting };
    const message = seal(plan);
    const parsed = v.safeParse(itemBatch, message);
    if (!parsed.success) throw new Error(`The relay refuses it: ${v.summarize(parsed.issues).slice(0, 200)}`);
    parseBatch(parsed.output);
    const textLength = Buffer.byteLength(JSON.stringify(message));
    if (textLength > maximumBatchTextLength) throw new Error(`The relay refuses ${textLength} bytes.`);
    for (const write of plan.writes) put(contents, write.id, write.content, write.version);
    for (const id of plan.prune) contents.delete(id);
    batches.push(plan);
  }
  throw new Error('It does not come to an end.');
}

const minimum: Operation = { kind: 'minimum', level: 'hardware', setAtMs: 9, itemId: newId() };

function levelOf(contents: VaultContents) {
  return [...contents.settings.values()].map(({ minimumProtection }) => minimumProtection?.value);
}

describe('deleting', () => {
  it.each([1, 240, 327, 350, 487, 500, 501, 620, 1300])(
    'a conversation of %i turns, each with a verification of its own: whole, and what waits behind it is stored',
    (turns) => {
      const contents = new VaultContents();
      const kept = addConversation(contents, { turns: 3, documents: 'each', isAnswered: true });
      const gone = addConversation(contents, { turns, documents: 'each', isAnswered: true });
      const { waiting, batches } = store(contents, [{ kind: 'delete', conversationId: gone.conversationId }, minimum]);
      expect(waiting).toEqual([]);
      expect([...contents.conversations.keys()]).toEqual([kept.conversationId]);
      expect([contents.messages.size, contents.replies.size, contents.verifications.size]).toEqual([3, 3, 3]);
      expect(levelOf(contents)).toEqual(['hardware']);
      // No batch is sent half empty while there is more to do.
      expect(batches).toHaveLength(Math.ceil((1 + 3 * turns + 1) / maximumBatchLength));
    },
  );

  it('any vault, with anything else that waits', () => {
    const turns = fc.oneof(fc.nat(40), fc.constantFrom(327, 350, 487, 620));
    const documents = fc.constantFrom('each' as const, 'one' as const, 'none' as const);
    const conversation = fc.record({ turns, documents, isAnswered: fc.boolean(), isDeleted: fc.boolean() });
    const story = fc.record({
      conversations: fc.array(conversation, { minLength: 1, maxLength: 4 }),
      tombstones: fc.constantFrom(0, 3, 499, 500, 501, 900),
      isPruning: fc.boolean(),
    });
    fc.assert(
      fc.property(story, ({ conversations, tombstones, isPruning }) => {
        const contents = new VaultContents();
        for (let n = 0; n < tombstones; n++) put(contents, newId(), null);
        const added = conversations.map((shape) => ({ ...shape, ...addConversation(contents, shape) }));
        const { waiting } = store(
          contents,
          [
            ...(isPruning ? [{ kind: 'prune' } as const] : []),
            ...added.map(({ conversationId, isDeleted }): Operation =>
              isDeleted
                ? { kind: 'delete', conversationId }
                : { kind: 'rename', conversationId, title: 'Another', setAtMs: 5 },
            ),
            minimum,
          ],
          month,
        );
        const kept = added.filter(({ isDeleted }) => !isDeleted);
        expect(waiting).toEqual([]);
        expect([...contents.conversations.keys()]).toEqual(kept.map(({ conversationId }) => conversationId));
        expect(contents.messages.size).toBe(kept.reduce((sum, shape) => sum + shape.turns.length, 0));
        const expected = kept.map(({ documents: each, turns: { length } }) =>
          each === 'each' ? length : each === 'one' ? Math.min(1, length) : 0,
        );
        // Without a deletion nothing looks for what no turn names.
        expect(contents.verifications.size).toBe(expected.reduce((sum, each) => sum + each, 0));
        for (const { title } of contents.conversations.values()) expect(title.value).toBe('Another');
        expect(levelOf(contents)).toEqual(['hardware']);
      }),
      { numRuns: 40 },
    );
  });
});

describe('large bodies', () => {
  const characters = ['x', '"', '汉', '\u0001'];

  /** Answers that wait to be stored, and verifications of as many turns that were sealed anew. */
  function waitingBodies(bodies: readonly { readonly text: string; readonly isDocument: boolean }[]) {
    const contents = new VaultContents();
    const { conversationId, turns } = addConversation(contents, {
      turns: bodies.length,
      documents: 'none',
      isAnswered: false,
    });
    const operations = bodies.map(({ text, isDocument }, index): Operation => {
      const { turnId, messageId, replyItemId } = turns[index] ?? { turnId: '', messageId: '', replyItemId: '' };
      if (isDocument) {
        return { kind: 'verification', itemId: newId(), content: verification({ turnId, document: `{}${text}` }) };
      }
      const content = reply({ conversationId, parentId: messageId, turnId }, text, text);
      return { kind: 'reply', itemId: replyItemId, content, title: index === 0 ? 'A proposal' : null };
    });
    return { contents, operations };
  }

  it('any number of any size: each in a batch that the relay takes', () => {
    const body = fc.record({
      text: fc
        .tuple(fc.constantFrom(...characters), fc.constantFrom(10, 300_000, 1_300_000, 2_000_000))
        .map(([character, length]) => character.repeat(length)),
      isDocument: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(body, { minLength: 1, maxLength: 4 }), (bodies) => {
        const { contents, operations } = waitingBodies(bodies);
        const { waiting } = store(contents, [...operations, minimum]);
        expect(waiting).toEqual([]);
        expect(levelOf(contents)).toEqual(['hardware']);
        // Twice two million characters of six bytes each are more than one item holds.
        const storable = bodies.filter(({ text, isDocument }) => isDocument || !text.startsWith('\u0001'.repeat(2e6)));
        expect(contents.replies.size + contents.verifications.size).toBe(storable.length);
      }),
      { numRuns: 8 },
    );
  }, 120_000);

  it('an answer that no item can hold stays in its transcript, and holds up nothing', () => {
    // Six bytes a character, twice: 24 MB.
    const tooLong = { text: '\u0001'.repeat(2_000_000), isDocument: false };
    const short = { text: 'x', isDocument: false };
    for (const bodies of [[tooLong, short], [short, tooLong], [tooLong]]) {
      const { contents, operations } = waitingBodies(bodies);
      const { waiting, batches } = store(contents, [...operations, minimum]);
      expect(waiting).toEqual([]);
      expect([...contents.replies.values()].map(({ text }) => text)).toEqual(bodies.length === 1 ? [] : ['x']);
      expect(batches.flatMap(({ finishTurns }) => finishTurns)).toHaveLength(bodies.length - 1);
      expect(levelOf(contents)).toEqual(['hardware']);
    }
  });

  it('small ones go together, large ones one after the other', () => {
    const sent = (text: string, isDocument: boolean) => {
      const { contents, operations } = waitingBodies([1, 2, 3].map(() => ({ text, isDocument })));
      return store(contents, operations).batches.map(({ writes }) => writes.length);
    };
    // The conversation gets its title with the first one.
    expect(sent('x', false)).toEqual([4]);
    expect(sent('x', true)).toEqual([3]);
    expect(sent('x'.repeat(8_000_000), true)).toEqual([2, 1]);
    expect(sent('汉'.repeat(2_000_000), false)).toEqual([2, 1, 1]);
  }, 60_000);
});

describe('keepHouse', () => {
  async function ordered(contents: VaultContents, waiting: readonly Operation[] = []) {
    const put_: Operation[] = [];
    const outbox = { all: queue(waiting), put: async (operation: Operation) => void put_.push(operation) };
    await keepHouse(contents, outbox as unknown as Outbox, 0);
    return put_;
  }

  it('finds the verifications that a deletion on another device left, and buries them', async () => {
    const contents = new VaultContents();
    addConversation(contents, { turns: 2, documents: 'each', isAnswered: true });
    expect(await ordered(contents)).toEqual([]);
    for (let n = 0; n < 620; n++) put(contents, newId(), verification());
    const found = await ordered(contents);
    expect(found).toEqual([{ kind: 'drop-verifications' }]);
    expect(store(contents, found).waiting).toEqual([]);
    expect(contents.verifications.size).toBe(2);
    expect(await ordered(contents)).toEqual([]);
  });

  it('leaves them to what already waits, and alone where something of a later build may name them', async () => {
    const contents = new VaultContents();
    put(contents, newId(), verification());
    expect(await ordered(contents, [{ kind: 'drop-verifications' }])).toEqual([]);
    expect(await ordered(contents, [{ kind: 'delete', conversationId: newId() }])).toEqual([]);
    const row = { id: newId(), version: 1, flags: 0, expiresAt: 0, counter: 1, storedAtMs: 0, turnId: null, length: 9 };
    contents.set({ ...row, bodyHash: new Uint8Array(32), bodyState: 'here' }, null);
    expect(await ordered(contents)).toEqual([]);
    put(contents, row.id, null);
    expect(await ordered(contents)).toEqual([{ kind: 'drop-verifications' }]);
  });

  it('takes up a deletion that was begun elsewhere', async () => {
    const contents = new VaultContents();
    const { conversationId } = addConversation(contents, { turns: 2, documents: 'each', isAnswered: true });
    put(contents, conversationId, null, 2);
    expect(await ordered(contents)).toContainEqual({ kind: 'delete', conversationId });
    expect(await ordered(contents, [{ kind: 'delete', conversationId }])).toEqual([]);
  });
});
