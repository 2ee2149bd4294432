import { maximumMessageLength, maximumTitleLength } from '../../../crypto/protocol/contents/item-contents.ts';
import { randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { generateTurnKey } from '../../../crypto/turn/turn-key.ts';
import { isUnseen, withoutTurning } from '../../../crypto/protocol/contents/unseen-text.ts';
import { type Clock, laterThan } from '../surroundings/clock.ts';
import type { Conversations } from '../threads/conversations.ts';
import type { EnclaveSession } from '../enclave/enclave-session.ts';
import { turnOperation } from '../changes/operations/plan-turn.ts';
import type { TurnOperation } from '../changes/operations/turn-operation.ts';
import type { Outbox } from '../changes/outbox/outbox.ts';
import type { Minimums } from '../enclave/minimums.ts';
import { VaultError } from '../failures/vault-error.ts';
import type { VaultStore } from '../store/vault-store.ts';
import { newId } from '../surroundings/new-id.ts';

const excerptLength = 60;

export type BeginTurnDependencies = {
  readonly store: VaultStore;
  readonly outbox: Outbox;
  readonly conversations: Conversations;
  readonly enclaves: EnclaveSession;
  readonly minimums: Minimums;
  readonly clock: Clock;
};

/** Begins turns: a question is kept in this browser before anything of it is sent. */
export class TurnBeginnings {
  readonly #dependencies: BeginTurnDependencies;

  constructor(dependencies: BeginTurnDependencies) {
    this.#dependencies = dependencies;
  }

  async send(conversationId: string | null, text: string): Promise<TurnOperation> {
    if (text.length > maximumMessageLength) throw new VaultError('message-too-long');
    if (isUnseen(text)) throw new VaultError('message-empty');
    const { conversations, enclaves, minimums } = this.#dependencies;
    // Read now: while the vault looks for an enclave, the relay may choose another and the person may open another chat.
    const { shown } = enclaves;
    const begun = conversationId === null ? this.#newConversation(text) : null;
    await enclaves.admit(minimums.effective(conversationId));
    const parentId = conversationId === null ? null : conversations.lastReplyId(conversationId);
    const operation = this.#newTurn({
      conversationId: conversationId ?? newId(),
      newConversation: conversationId === null ? begun : this.#waitingConversation(conversationId),
      parentId,
      text,
      shown,
    });
    await this.#dependencies.outbox.put(turnOperation, operation);
    return operation;
  }

  /** The same words again, under new keys; what failed on its way gives its place to them. */
  async retry(conversationId: string, turnId: string): Promise<TurnOperation> {
    const { outbox, store, conversations, enclaves, minimums } = this.#dependencies;
    const queued = outbox.turn(turnId);
    const asked = queued?.operation ?? store.contents.messages.ofTurn(turnId)?.message;
    if (asked?.conversationId !== conversationId) throw new VaultError('not-here');
    const isGoing = queued?.operation.stage.name === 'going';
    // It is on its way: once is enough. A reply may be over before the call that brought the question is.
    if (isGoing && conversations.replyOf(turnId)?.message.state.kind !== 'ended') return queued.operation;
    const { shown } = enclaves;
    await enclaves.admit(minimums.effective(conversationId));
    const operation = this.#newTurn({
      conversationId,
      newConversation: this.#waitingConversation(conversationId),
      parentId: asked.parentId,
      text: asked.text,
      shown,
    });
    const replaced = queued === null || isGoing ? [] : [queued];
    // Another tab was quicker, or it was stored meanwhile: what to ask again depends on what is there now.
    if (!(await outbox.replace(replaced, turnOperation, operation))) return this.retry(conversationId, turnId);
    return operation;
  }

  #newTurn(
    asked: Pick<TurnOperation, 'conversationId' | 'newConversation' | 'parentId' | 'text' | 'shown'>,
  ): TurnOperation {
    return {
      kind: 'turn',
      ...asked,
      messageId: newId(),
      replyItemId: newId(),
      createdAtMs: this.#laterThanAll(asked.conversationId),
      turnId: newId(),
      turnKey: toBase64Url(generateTurnKey().expose()),
      stage: { name: 'going' },
    };
  }

  /** Messages are in the order in which they were written, even where clocks disagree. */
  #laterThanAll(conversationId: string): number {
    const { conversations, clock } = this.#dependencies;
    const times = conversations.messages(conversationId).map(({ createdAtMs }) => createdAtMs);
    return laterThan(clock, times);
  }

  #newConversation(text: string): NonNullable<TurnOperation['newConversation']> {
    const minimumProtection = this.#dependencies.minimums.forNew();
    return {
      createdAtMs: this.#dependencies.clock.wallMs(),
      title: excerptOf(text),
      cacheSalt: toBase64Url(randomBytes(32)),
      ...(minimumProtection === null ? {} : { minimumProtection }),
    };
  }

  /** null for one that the relay has; what its first question brings for one that still waits. */
  #waitingConversation(conversationId: string): TurnOperation['newConversation'] {
    const { store, outbox } = this.#dependencies;
    if (store.contents.conversations.has(conversationId)) return null;
    const waiting = outbox.turns.find(
      ({ operation }) => operation.conversationId === conversationId && operation.newConversation !== null,
    );
    if (waiting === undefined) throw new VaultError('not-here');
    return waiting.operation.newConversation;
  }
}

/** The first words, cut at a word, never inside a character. */
function excerptOf(text: string): string {
  const words = withoutTurning(text).replaceAll(/\s+/g, ' ').trim();
  const characters = Array.from(words);
  if (characters.length <= excerptLength) return words.slice(0, maximumTitleLength);
  const cut = characters.slice(0, excerptLength).join('');
  const end = cut.lastIndexOf(' ');
  return `${end > excerptLength / 2 ? cut.slice(0, end) : cut}…`.slice(0, maximumTitleLength);
}
