import * as v from 'valibot';
import { generateAccountId, generateAccountKey } from '../../../crypto/account/account-key.ts';
import { createKeyring } from '../../../crypto/account/keyring.ts';
import type {
  ItemContent,
  ReplyContent,
  ReplyNoteContent,
  VerificationContent,
} from '../../../crypto/protocol/contents/item-contents.ts';
import {
  type ItemBatch,
  itemBatch,
  maximumBatchTextLength,
  tombstoneFlag,
} from '../../../crypto/protocol/messages/item-messages.ts';
import { fromBase64Url, randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { sealContent } from '../../../crypto/vault/item-content.ts';
import type { Feature, FeatureVault } from '../../../client/vault/features/feature.ts';
import { features, type Operation, operationTypes } from '../../../client/vault/features/features.ts';
import type { QueuedOperation } from '../../../client/vault/changes/outbox/outbox.ts';
import { type BatchPlan, planBatch } from '../../../client/vault/changes/writing/plan-batch.ts';
import type { VaultContents } from '../../../client/vault/store/vault-contents.ts';
import { checkBatch } from '../../../server/vault/parse-batch.ts';
import { newId } from './paper-vault.ts';

const hash32 = toBase64Url(new Uint8Array(32));

/** Sets what the vault holds from now on under an id; null: a tombstone. */
export function put(contents: VaultContents, id: string, content: ItemContent | null, version = 1): void {
  const row = { id, version, flags: content === null ? 1 : 0, expiresAt: 0, counter: 1, storedAtMs: 0, turnId: null };
  contents.set({ ...row, length: 0, bodyHash: new Uint8Array(32), bodyState: 'here' }, content);
}

/** A verification whose document nobody reads. */
export function verification(more: Partial<VerificationContent> = {}): VerificationContent {
  const facts = { kind: 'development', level: 'any', model: 'm', measurement: null, release: null } as const;
  return { type: 'verification', format: 1, verifiedAtMs: 1, document: '{}', ...facts, ...more };
}

/** An answer as it is stored. */
export function reply(place: Pick<ReplyContent, 'conversationId' | 'parentId' | 'turnId'>, text = '', reasoning = '') {
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

/** Makes the note of a reply. */
export function replyNote(place: Pick<ReplyNoteContent, 'conversationId' | 'turnId'>, ...codes: string[]) {
  return { type: 'reply-note', format: 1, ...place, codes, leftOut: 0 } satisfies ReplyNoteContent;
}

type Shape = {
  readonly turns: number;
  readonly documents: 'each' | 'one' | 'none';
  readonly isAnswered: boolean;
  readonly isNoted?: boolean;
};

/** A conversation as it is stored; its turns in order. */
export function addConversation(contents: VaultContents, { turns, documents, isAnswered, isNoted = false }: Shape) {
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
    if (isNoted) put(contents, newId(), replyNote({ conversationId, turnId }, 'model-failed'));
    return { messageId, replyItemId, turnId };
  });
  return { conversationId, turns: added };
}

/** Operations as they wait in the outbox. */
export function queue(operations: readonly Operation[]): QueuedOperation[] {
  return operations.map((operation, index) => {
    const type = operationTypes.of(operation);
    return { type, id: type.idOf(operation), order: index + 1, revision: newId(), operation };
  });
}

/** Lists what the chores of all features put into an outbox in which some operations wait. */
export async function orderedByChores(
  contents: VaultContents,
  waiting: readonly Operation[] = [],
  nowMs = 0,
): Promise<Operation[]> {
  const orders: Operation[] = [];
  const outbox = {
    all: queue(waiting),
    put: async ({ kind }: { readonly kind: string }, fields: object) => {
      orders.push({ ...fields, kind } as Operation);
      outbox.all = queue([...waiting, ...orders]);
    },
  };
  const vault = { store: { contents }, outbox, clock: { wallMs: () => nowMs } } as unknown as FeatureVault;
  for (const { chores = [] } of features as readonly Feature[]) for (const chore of chores) await chore(vault);
  return orders;
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
export function storeAll(contents: VaultContents, operations: readonly Operation[], nowMs = 0) {
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
    checkBatch(parsed.output);
    const textLength = Buffer.byteLength(JSON.stringify(message));
    if (textLength > maximumBatchTextLength) throw new Error(`The relay refuses ${textLength} bytes.`);
    for (const write of plan.writes) put(contents, write.id, write.content, write.version);
    for (const id of plan.prune) contents.delete(id);
    batches.push(plan);
  }
  throw new Error('It does not come to an end.');
}
