import type { StoredProtection } from '../../../crypto/protocol/contents/protection-sentence.ts';
import type { ConversationNote } from '../enclave/protection-views.ts';
import type { ReplyState } from '../exchange/reading/reply-state.ts';

export type ConversationSummary = {
  readonly id: string;
  /** null where another version of Sotto wrote it in a way that this one cannot read. */
  readonly title: string | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** A reply in it is being written now. */
  readonly answering: boolean;
  /** Stored at the relay; false while it waits to be sent. */
  readonly stored: boolean;
};

export type UserMessage = {
  readonly role: 'user';
  readonly id: string;
  readonly parentId: string | null;
  readonly createdAtMs: number;
  readonly text: string;
  readonly turnId: string;
  readonly stored: boolean;
  /** The notes of what happened since the message before. */
  readonly notesBefore: readonly ConversationNote[];
};

export type AssistantMessage = {
  readonly role: 'assistant';
  readonly id: string;
  readonly parentId: string;
  readonly createdAtMs: number;
  readonly text: string;
  readonly reasoning: string;
  readonly turnId: string;
  readonly state: ReplyState;
  readonly model: string | null;
  readonly engine: string | null;
  readonly usage: { readonly promptTokens: number; readonly replyTokens: number } | null;
  /** The facts that vouched for its enclave, as stored; null until they are. */
  readonly protection: StoredProtection | null;
  /** How many of the oldest messages the model was not given. */
  readonly leftOut: number;
  /** True if a verification document is kept with it. */
  readonly isDocumented: boolean;
  /** The notes of what happened since, where no message follows. */
  readonly notesAfter: readonly ConversationNote[];
};

export type ChatMessage = UserMessage | AssistantMessage;
