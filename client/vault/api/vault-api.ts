import type { FailureCode } from '../failures/failure-codes.ts';
import type { SessionStatus } from '../session/session-views.ts';
import type { ConnectionStatus } from '../relay/connection-state.ts';
import type { ConversationSummary, ChatMessage } from '../threads/thread-views.ts';
import type { EnclaveView, MinimumView, VerificationView } from '../enclave/protection-views.ts';
import type { RelayView } from '../features/relay-view.ts';
import type { ReturnedWords } from '../changes/outbox.ts';
import type { OwnProof } from '../session/own-proof.ts';
import type { ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';

/*
 * What crosses from the vault's Worker to the page: words to show and things to do, never a key and never a token.
 * Ids are base64url. Every call rejects with a VaultFailure only.
 */
export type { FailureCode, RelayFailureCode, VaultFailure, OwnFailureCode } from '../failures/failure-codes.ts';
export type { SessionStatus } from '../session/session-views.ts';
export type { ConnectionStatus } from '../relay/connection-state.ts';
export type { ReplyState } from '../exchange/reply-state.ts';
export type { ConversationSummary, UserMessage, AssistantMessage, ChatMessage } from '../threads/thread-views.ts';
export type {
  EnclaveView,
  MinimumView,
  RefusedEnclave,
  VerificationStep,
  ProtectionFacts,
  ConversationNote,
  VerifiedEnclaveView,
  VerificationView,
} from '../enclave/protection-views.ts';
export type { RelayViewRow, RelayView } from '../features/relay-view.ts';
export type { ReturnedWords } from '../changes/outbox.ts';
export type { SetMinimum } from '../changes/plan-settings.ts';
export type { OwnProof } from '../session/own-proof.ts';
export type { ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
export type { RefusalCode } from '../../../crypto/evidence/evidence-step.ts';

export type VaultEvent =
  | { readonly type: 'session'; readonly status: SessionStatus; readonly needsNewPassword: boolean }
  | { readonly type: 'connection'; readonly status: ConnectionStatus }
  /** Why the start takes so long; null once it goes on. */
  | { readonly type: 'held-up'; readonly by: FailureCode | null }
  /** Whole list, newest first; sent when anything in it changes. */
  | { readonly type: 'conversations'; readonly conversations: readonly ConversationSummary[] }
  /** All messages of an opened conversation, in order; also when a sync changes them. */
  | { readonly type: 'messages'; readonly conversationId: string; readonly messages: readonly ChatMessage[] }
  /** One message of the list changed other than by text growth. */
  | { readonly type: 'message'; readonly conversationId: string; readonly message: ChatMessage }
  /** Text that one frame brought; appended to what is there. */
  | {
      readonly type: 'delta';
      readonly conversationId: string;
      readonly messageId: string;
      readonly text: string;
      readonly reasoning: string;
    }
  | { readonly type: 'enclave'; readonly view: EnclaveView }
  | { readonly type: 'minimum'; readonly minimum: MinimumView }
  | { readonly type: 'theme'; readonly theme: 'system' | 'light' | 'dark' }
  /** All that was given back and that no draft holds yet, oldest first; sent when it changes. */
  | { readonly type: 'returned'; readonly words: readonly ReturnedWords[] }
  /** Of integrity, or of what is not stored; shown until dismissed, never swallowed. */
  | { readonly type: 'alarm'; readonly code: FailureCode };

/** The Worker's face, reached through Comlink. */
export interface VaultApi {
  /** Begins the events; the first is `session`, or why that takes so long. */
  start(onEvent: (event: VaultEvent) => void): Promise<void>;
  /** What the page knows of the network and a Worker is not told in every browser; and whether somebody looks at the page. */
  noteNetwork(input: { isOnline: boolean; isSeen: boolean }): Promise<void>;

  /** Registers with the relay and draws the phrase; nothing is stored until `finishSignUp`. */
  beginSignUp(input: { userName: string; password: string }): Promise<{ recoveryWords: readonly string[] }>;
  /** Creates the account with what `beginSignUp` prepared; may be called again after a failure of the network. */
  finishSignUp(): Promise<void>;
  cancelSignUp(): Promise<void>;

  signIn(input: { userName: string; password: string }): Promise<void>;
  signInWithPhrase(input: { userName: string; words: string }): Promise<void>;
  unlock(input: { password: string }): Promise<void>;
  /** After recovery, or from the account menu. */
  changePassword(input: { newPassword: string; proof: OwnProof }): Promise<void>;
  /** Wipes keys in every tab; ciphertext stays. */
  lock(): Promise<void>;
  /** Ends the session; wipes keys, ciphertext cache and drafts in every tab. */
  signOut(): Promise<void>;

  /** Emits `messages` and asks the relay for an enclave. `null`: a new chat. */
  openConversation(input: { conversationId: string | null }): Promise<void>;
  closeConversation(): Promise<void>;
  renameConversation(input: { conversationId: string; title: string }): Promise<void>;
  deleteConversation(input: { conversationId: string }): Promise<void>;

  /** Seals and sends; resolves with the conversation once the message is kept in this browser, before the relay has it. */
  send(input: { conversationId: string | null; text: string }): Promise<{ conversationId: string; turnId: string }>;
  stop(input: { turnId: string }): Promise<void>;
  /** Sends an unsent, cut-off or failed turn's question again, as a new turn. */
  retry(input: { conversationId: string; turnId: string }): Promise<void>;

  /** Sealed in IndexedDB. `conversationId` null: the new chat. */
  readDraft(input: { conversationId: string | null }): Promise<string>;
  /**
   * @param input.returned - Turns of words that were given back: the text holds them now.
   * @returns those of them that a draft of another tab holds. If there are any, nothing is written: read the draft again.
   */
  writeDraft(input: {
    conversationId: string | null;
    text: string;
    returned?: readonly string[] | undefined;
  }): Promise<readonly string[]>;

  relayView(input: { conversationId: string }): Promise<RelayView>;
  relayBytes(input: { id: string }): Promise<Uint8Array>;

  setTheme(input: { theme: 'system' | 'light' | 'dark' }): Promise<void>;

  /** What an enclave must offer at least, for the whole account; takes back what was set for a single conversation. */
  setMinimum(input: { level: ProtectionLevel }): Promise<void>;
  /** For one conversation alone, as an act of the person that the conversation remembers. */
  setConversationMinimum(input: { conversationId: string | null; level: ProtectionLevel }): Promise<void>;
  /** The document of one turn, or with null the shield's own; null when there is none. */
  readVerification(input: { turnId: string | null }): Promise<VerificationView | null>;
}
