import * as v from 'valibot';
import { idField, modelField } from '../../../crypto/protocol/messages/fields.ts';
import {
  maximumTitleLength,
  type MessageContent,
  replyContent,
  type ReplyContent,
  replyNoteContent,
  type ReplyNoteContent,
} from '../../../crypto/protocol/contents/item-contents.ts';
import { isUnseen, withoutTurning } from '../../../crypto/protocol/contents/unseen-text.ts';
import { toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { type Clock, wait } from '../surroundings/clock.ts';
import { operationType } from '../changes/operations/operation.ts';
import { protectionOf, type ShownEnclave } from '../changes/operations/turn-operation.ts';
import type { Outbox } from '../changes/outbox/outbox.ts';
import type { ReplyReader } from '../exchange/reading/reply-reader.ts';
import type { ReplyTracker } from './reply-tracker.ts';
import { requestHistory, type TurnHistory } from '../exchange/sending/request-history.ts';
import type { VaultContents } from '../store/vault-contents.ts';
import type { VaultWriter } from '../changes/writing/vault-writer.ts';
import { newId } from '../surroundings/new-id.ts';

const shortestDelayMs = 1_000;
/** The tab that asked knows what its shield showed, and goes first. */
const askerDelayMs = 3_000;
const otherDelayMs = 4_000;
const maximumReplyLength = 2_000_000;

/** The compact reply that takes its transcript's place. A device that comes second finds it there and drops its own. */
export const replyOperation = operationType({
  kind: 'reply',
  fields: {
    itemId: idField,
    content: replyContent,
    /** The note of the reply; an older build left none here. */
    note: v.exactOptional(v.strictObject({ itemId: idField, content: replyNoteContent })),
    /** The title that the enclave proposed; used where nobody gave one. */
    title: v.nullable(v.pipe(v.string(), v.maxLength(maximumTitleLength))),
  },
  idOf: ({ content }) => `reply:${content.turnId}`,
  apply: (plan, { itemId, content, note, title }) => {
    const asked = plan.contents.messages.ofTurn(content.turnId);
    if (asked === null || plan.contents.rows.has(itemId) || asked.message.replyItemId !== itemId) return true;
    const conversation = plan.conversation(content.conversationId);
    const isThere = conversation !== null || plan.contents.unreadable.has(content.conversationId);
    if (!isThere || plan.isBuried(asked.id)) return true;
    plan.write(itemId, content);
    // In the same batch: who comes second drops both.
    if (note !== undefined) plan.write(note.itemId, note.content);
    plan.finishTurn(content.turnId);
    // Later than the first one, and earlier than any that a person gives.
    if (title !== null && conversation !== null && conversation.title.setAtMs === conversation.createdAtMs) {
      const proposed = { value: title, setAtMs: conversation.createdAtMs + 1 };
      plan.write(content.conversationId, { ...conversation, title: proposed });
    }
    return true;
  },
});

export type CompactionDependencies = {
  readonly contents: VaultContents;
  readonly conversations: TurnHistory & { readonly seen: { leftOut(turnId: string): number } };
  readonly outbox: Outbox;
  readonly tracker: ReplyTracker;
  readonly writer: VaultWriter;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** The enclave that the shield showed at Send, where this tab asked. */
  readonly shownEnclave: (turnId: string) => ShownEnclave | null;
};

/**
 * Puts two items in the place of a transcript, the reply and its note, some random time after its end. Neither their time nor
 * their number says anything about the reply. Devices that do it at once meet in compare-and-swap, and all but one drop theirs.
 */
export async function compactReply(dependencies: CompactionDependencies, turnId: string): Promise<void> {
  const { random, contents, tracker, outbox, writer } = dependencies;
  const isAsker = dependencies.shownEnclave(turnId) !== null;
  const delayMs = shortestDelayMs + (isAsker ? 0 : askerDelayMs) + random() * (isAsker ? askerDelayMs : otherDelayMs);
  await wait(dependencies.clock, delayMs, dependencies.signal);
  if (dependencies.signal.aborted) return;
  const reader = tracker.reader(turnId);
  const asked = contents.messages.ofTurn(turnId);
  if (reader === null || asked === null || !reader.isSettled || contents.rows.has(asked.message.replyItemId)) return;
  const content = compactContent(dependencies, reader, asked);
  if (content === null) return;
  const title = cleanTitle(reader.title);
  const note = { itemId: newId(), content: noteContent(dependencies, reader, asked.message) };
  await outbox.put(replyOperation, { itemId: asked.message.replyItemId, content, note, title });
  writer.kick();
}

function compactContent(
  dependencies: CompactionDependencies,
  reader: ReplyReader,
  asked: NonNullable<ReturnType<VaultContents['messages']['ofTurn']>>,
): ReplyContent | null {
  const opener = reader.transcript?.opener ?? null;
  const { outcome } = reader;
  if (opener === null || outcome === null) return null;
  const { end } = opener;
  return {
    type: 'reply',
    format: 1,
    conversationId: asked.message.conversationId,
    parentId: asked.id,
    turnId: reader.turnId,
    createdAtMs: asked.message.createdAtMs,
    text: reader.text.slice(0, maximumReplyLength),
    reasoning: reader.reasoning.slice(0, maximumReplyLength),
    outcome,
    transcriptHash: toBase64Url(opener.transcriptHash()),
    model: v.is(modelField, end?.model) ? end.model : 'unknown',
    engine: end?.engine ?? 'unknown',
    protection: protectionOf(dependencies.shownEnclave(reader.turnId)),
    usage: end?.usage ?? null,
  };
}

/** Written whatever is in it: an item that only failed replies had would name them to the relay. */
function noteContent(
  { conversations }: CompactionDependencies,
  reader: ReplyReader,
  { conversationId, parentId, text }: MessageContent,
): ReplyNoteContent {
  const { turnId, codes } = reader;
  // The tab that cut the conversation may be gone; what it cut is found again by the same rule.
  const cut = requestHistory(conversations.exchangesBefore(parentId), text).leftOut;
  const leftOut = Math.max(reader.leftOut, conversations.seen.leftOut(turnId), cut);
  return { type: 'reply-note', format: 1, conversationId, turnId, codes: [...codes], leftOut };
}

function cleanTitle(title: string | null): string | null {
  const cleaned = withoutTurning(title ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, maximumTitleLength);
  // A conversation must not seem to have no title.
  return isUnseen(cleaned) ? null : cleaned;
}
