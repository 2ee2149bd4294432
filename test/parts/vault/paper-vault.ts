import type { ItemContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import type { TurnOperation } from '../../../client/vault/changes/operations/turn-operation.ts';
import { type Operation, operationTypes } from '../../../client/vault/features/features.ts';
import type { QueuedOperation } from '../../../client/vault/changes/outbox/outbox.ts';
import { flagsOf, planBatch } from '../../../client/vault/changes/writing/plan-batch.ts';
import { VaultContents } from '../../../client/vault/store/vault-contents.ts';

type PaperItem = { readonly version: number; readonly flags: number; readonly content: ItemContent | null };

/** A vault without seals: only the order in which the relay takes batches, and what it refuses. */
export class PaperVault {
  counter = 1;
  readonly items = new Map<string, PaperItem>();
  readonly history: string[] = [];
  /** The texts of all questions that were ever stored. */
  readonly storedTexts = new Set<string>();

  /** @throws when a batch breaks a rule that every relay keeps. */
  store(
    expectedCounter: number,
    writes: readonly (PaperItem & { readonly id: string })[],
    prune: readonly string[],
  ): boolean {
    if (expectedCounter !== this.counter) return false;
    for (const { id, ...item } of writes) {
      const before = this.items.get(id);
      if (item.version !== (before?.version ?? 0) + 1) throw new Error('A version was passed over.');
      if (before?.flags === 1) throw new Error('A tombstone was written over.');
    }
    for (const { id, ...item } of writes) {
      this.items.set(id, item);
      if (item.content?.type === 'message') this.storedTexts.add(item.content.text);
    }
    for (const id of prune) {
      if (this.items.get(id)?.flags !== 1) throw new Error('A living item was forgotten.');
      this.items.delete(id);
    }
    this.counter += 1;
    this.history.push(writes.map(({ id, version }) => `${id}@${version}`).join());
    return true;
  }
}

/** A device with an outbox: the real merge over a paper vault. */
export class PaperDevice {
  readonly contents = new VaultContents();
  /** Words that came back to the person, because their conversation was gone. */
  readonly givenBack: string[] = [];
  isOnline = true;
  #operations: QueuedOperation[] = [];
  #counter = 0;
  #revision = 0;
  readonly #vault: PaperVault;

  constructor(vault: PaperVault) {
    this.#vault = vault;
    this.sync();
  }

  get waiting(): number {
    return this.#operations.length;
  }

  do(operation: Operation): void {
    const type = operationTypes.of(operation);
    const id = type.idOf(operation);
    this.#revision += 1;
    this.#operations = [
      ...this.#operations.filter((queued) => queued.id !== id),
      { type, id, revision: String(this.#revision), operation },
    ];
  }

  sync(): void {
    if (!this.isOnline) return;
    this.contents.clear();
    for (const [id, { version, flags, content }] of this.#vault.items) {
      const row = { id, version, flags, expiresAt: 0, counter: 1, storedAtMs: 0, turnId: null, length: 0 };
      this.contents.set({ ...row, bodyHash: new Uint8Array(32), bodyState: 'here' }, content);
    }
    this.#counter = this.#vault.counter;
  }

  /** One try: a device that another was quicker than learns of it and plans again next time. */
  flush(nowMs = 0): void {
    if (!this.isOnline) return;
    const plan = planBatch(this.contents, this.#operations, nowMs);
    this.givenBack.push(...plan.displaced.map(({ operation }) => operation.text));
    this.#drop(plan.displaced);
    const isEmpty = plan.writes.length === 0 && plan.prune.length === 0;
    if (!isEmpty) {
      const writes = plan.writes.map((write) => ({ ...write, flags: flagsOf(write) }));
      if (!this.#vault.store(this.#counter, writes, plan.prune)) return this.sync();
    }
    this.#drop(plan.settled);
    this.sync();
  }

  #drop(done: readonly QueuedOperation[]): void {
    const revisions = new Set(done.map(({ revision }) => revision));
    this.#operations = this.#operations.filter(({ revision }) => !revisions.has(revision));
  }
}

export function newId(): string {
  return toBase64Url(randomBytes(16));
}

/** A question that was stopped before it was sent: it goes the way of everything that is no running turn. */
export function stoppedTurn(place: {
  readonly conversationId: string;
  readonly isNew: boolean;
  readonly text: string;
  readonly atMs: number;
}): TurnOperation {
  const { conversationId, isNew, text, atMs } = place;
  return {
    kind: 'turn',
    conversationId,
    newConversation: isNew ? { createdAtMs: atMs, title: text, cacheSalt: toBase64Url(new Uint8Array(32)) } : null,
    messageId: newId(),
    replyItemId: newId(),
    parentId: null,
    createdAtMs: atMs,
    text,
    turnId: newId(),
    turnKey: toBase64Url(new Uint8Array(32)),
    shown: null,
    stage: { name: 'stopped' },
  };
}
