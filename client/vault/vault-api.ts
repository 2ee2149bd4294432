import type { EngineKind, EnclaveStatus } from '../../crypto/protocol/messages/enclave-messages.ts';
import type { ReplyOutcome } from '../../crypto/protocol/contents/item-contents.ts';
import type { RelayCallCode } from '../relay/relay-call-error.ts';
import type { OwnProof } from './own-proof.ts';
import type { ReplyCause } from '../../crypto/protocol/contents/reply-note.ts';
import type {
  ConversationNote,
  MinimumView,
  ProtectionLevel,
  RefusedEnclave,
  VerificationStep,
  VerificationView,
} from './protection-api.ts';

/*
 * What crosses from the vault's Worker to the page: words to show and things to do, never a key and never a token.
 * Ids are base64url. Every call rejects with a VaultFailure only.
 */

export type SessionStatus =
  /** Being found out: the Worker looks for a session and a wrapped key. */
  | 'starting'
  | 'signed-out'
  /** A session, but no key in memory: the password opens it. */
  | 'locked'
  | 'unlocked';

export type ConnectionStatus = 'connected' | 'connecting' | 'relay-unreachable' | 'offline';

/** What a call to the relay came to, in its own code, the enclave's, or that of a stranger's answer. */
export type RelayFailureCode = Exclude<RelayCallCode, 'relay-unreachable'>;

/** Failures that the vault names itself. */
export type OwnFailureCode =
  | 'sign-in-failed'
  /** The password that is to be replaced is another one. */
  | 'wrong-password'
  /** The phrase that this tab was signed in by is no longer kept: the person has to show a way in again. */
  | 'proof-needed'
  | 'name-taken'
  | 'invalid-user-name'
  | 'weak-password'
  | 'password-too-long'
  | 'invalid-phrase'
  | 'sign-up-closed'
  /** There is none to finish: it was left or begun anew. */
  | 'sign-up-lapsed'
  | 'too-many-attempts'
  /** One account at a time. */
  | 'already-open'
  | 'relay-unreachable'
  | 'session-ended'
  | 'server-key-changed'
  | 'vault-tampered'
  | 'vault-rolled-back'
  | 'evidence-refused'
  | 'enclave-changed'
  | 'enclave-unreachable'
  | 'enclave-starting'
  | 'quota-exceeded'
  /** What the person did is kept in this browser alone: the relay refuses it for good. */
  | 'not-stored'
  | 'message-too-long'
  | 'message-empty'
  | 'title-empty'
  | 'title-too-long'
  /** Not in the vault, or not any more. */
  | 'not-here'
  /** Other devices were first each time. */
  | 'written-elsewhere'
  | 'storage-unavailable'
  /** It was asked for and has not answered yet. */
  | 'storage-silent'
  /** The browser's own copy of the vault was not what had been put there; it is fetched anew. */
  | 'cache-damaged'
  | 'browser-storage-full'
  /** A script of this build did not come. */
  | 'part-missing'
  /** An error of this browser that nobody foresaw. */
  | 'browser-failed'
  /** The vault cannot start: what it needs is switched off, or is not in this browser. */
  | 'page-insecure'
  | 'webassembly-off'
  | 'workers-off'
  | 'worker-failed'
  | 'locks-missing'
  | 'channel-missing'
  | 'other-version'
  | 'newer-keys';

/** Each has its cause, sentence and way out in state/failure-texts.ts. */
export type FailureCode = OwnFailureCode | `relay:${RelayFailureCode}`;

export type VaultFailure = {
  readonly code: FailureCode;
  readonly retryAfterMs?: number;
  /** Of `invalid-phrase`: the numbers, from 1 on, of the words that are in no recovery phrase. */
  readonly unknownWords?: readonly number[];
};

export type ConversationSummary = {
  readonly id: string;
  readonly title: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** An answer of it is being written now. */
  readonly answering: boolean;
  /** Stored at the relay; false while it waits to be sent. */
  readonly stored: boolean;
};

/** How far an answer is. `missing`: the relay has neither a reply item nor a transcript. */
export type ReplyState =
  | { readonly kind: 'sealing' }
  | { readonly kind: 'connecting' }
  /** `cause`: why nothing comes yet, in the enclave's word. */
  | { readonly kind: 'waiting'; readonly cause?: ReplyCause }
  | { readonly kind: 'streaming' }
  | {
      readonly kind: 'ended';
      readonly outcome: ReplyOutcome;
      readonly code: string | null;
      readonly endedEarly: boolean;
    }
  | { readonly kind: 'unsent'; readonly failure: VaultFailure }
  | { readonly kind: 'missing' };

export type UserMessage = {
  readonly role: 'user';
  readonly id: string;
  readonly parentId: string | null;
  readonly createdAtMs: number;
  readonly text: string;
  readonly turnId: string;
  readonly stored: boolean;
  /** What happened since the message before. */
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
  readonly protection: string | null;
  /** How many of the oldest messages the model was not given. */
  readonly leftOut: number;
  /** Whether a verification document is kept with it. */
  readonly isDocumented: boolean;
  /** What happened since, where no message follows. */
  readonly notesAfter: readonly ConversationNote[];
};

export type ChatMessage = UserMessage | AssistantMessage;

/** What the shield shows. */
export type EnclaveView =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'unreachable'; readonly failure: VaultFailure }
  /** It boots; since when this browser waits for it. */
  | { readonly kind: 'starting'; readonly sinceMs: number }
  | RefusedEnclave
  | {
      readonly kind: 'verified';
      /** The weakest link in one sentence, as "No protection from whoever runs this machine." */
      readonly sentence: string;
      readonly evidenceKind: string;
      readonly level: ProtectionLevel;
      /** In the vendor's hex, where hardware measured something. */
      readonly measurement: string | null;
      readonly release: { readonly version: string; readonly url: string } | null;
      /** A second enclave that proves the same: what is sealed survives the loss of one. */
      readonly hasAlternate: boolean;
      readonly steps: readonly VerificationStep[];
      readonly model: string;
      readonly engine: EngineKind;
      readonly keyFingerprint: string;
      readonly identityFingerprint: string;
      readonly verifiedAtMs: number;
      readonly status: EnclaveStatus;
    };

/** One row of "What the relay sees": the relay's columns beside the words that only this device reads. */
export type RelayViewRow = {
  readonly what: 'item' | 'transcript';
  readonly id: string;
  readonly columns: readonly { readonly name: string; readonly value: string }[];
  /** The first bytes as hex, at most 256; the length of all of them; and all of them on demand by `relayBytes`. */
  readonly firstBytesHex: string;
  readonly length: number;
  readonly words: string;
  readonly kindOfWords: 'title' | 'question' | 'answer' | 'settings' | 'verification' | 'note';
};
export type RelayView = {
  readonly rows: readonly RelayViewRow[];
  /** About the account as a whole. */
  readonly account: readonly { readonly name: string; readonly value: string }[];
};

/** Words that were never sent, and whose conversation was deleted meanwhile. */
export type ReturnedWords = { readonly turnId: string; readonly text: string };

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
