import type { FailureCode } from '../failures/failure-codes.ts';
import type { SessionStatus } from '../session/session-views.ts';
import type { ConnectionStatus } from '../relay/connection/connection-state.ts';
import type { ConversationSummary, ChatMessage } from '../threads/thread-views.ts';
import type { EnclaveView } from '../enclave/protection-views.ts';
import type { VaultCommands, VaultViews } from '../features/features.ts';
import type { OwnProof, SignInGiven, UnlockGiven } from '../session/factors/factors.ts';

/*
 * The page gets these from the vault's Worker: words to show and things to do, never a key and never a token. Ids are
 * base64url. Every call rejects with a VaultFailure only.
 */
export type { FailureCode, RelayFailureCode, VaultFailure, OwnFailureCode } from '../failures/failure-codes.ts';
export type { SessionStatus } from '../session/session-views.ts';
export type { ConnectionStatus } from '../relay/connection/connection-state.ts';
export type { ReplyState } from '../exchange/reading/reply-state.ts';
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
export type { RelayColumn, RelayViewRow, RelayView } from '../features/relay-view.ts';
export type { ReturnedWords } from '../changes/outbox/outbox.ts';
export type { Theme } from '../features/theme.ts';
export type { VaultCommands, VaultViews } from '../features/features.ts';
export type { SetMinimum } from '../items/settings.ts';
export type { OwnProof } from '../session/factors/factors.ts';
export type { ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
export type { CheckCode, RefusalCode } from '../../../crypto/evidence/policy/evidence-step.ts';
export type { DetailCode, DetailValues } from '../../../crypto/evidence/policy/step-details.ts';
export type { ProtectionClaim, StoredProtection } from '../../../crypto/protocol/contents/protection-sentence.ts';

/** A view that differs from what was told before. */
export type ViewEvent = {
  readonly [Name in keyof VaultViews]: {
    readonly type: 'view';
    readonly name: Name;
    readonly value: VaultViews[Name];
  };
}[keyof VaultViews];

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
  | ViewEvent
  /** An integrity failure, or data that was not stored; shown until dismissed, never swallowed. */
  | { readonly type: 'alarm'; readonly code: FailureCode };

/** The Worker's face, reached through Comlink. */
export interface VaultFace {
  /** Begins the events; the first is `session`, or why that takes so long. */
  start(onEvent: (event: VaultEvent) => void): Promise<void>;
  /** The page reports the network, which not every browser tells a Worker, and whether somebody looks at the page. */
  noteNetwork(input: { isOnline: boolean; isSeen: boolean }): Promise<void>;

  /** Registers with the relay and draws the phrase; nothing is stored until `finishSignUp`. */
  beginSignUp(input: { userName: string; password: string }): Promise<{ recoveryWords: readonly string[] }>;
  /** Creates the account with what `beginSignUp` prepared; may be called again after a failure of the network. */
  finishSignUp(): Promise<void>;
  cancelSignUp(): Promise<void>;

  /** By any factor, which `by` names; left out it is the password. */
  signIn(given: SignInGiven): Promise<void>;
  unlock(given: UnlockGiven): Promise<void>;
  /** After recovery, or from the account menu. */
  changePassword(input: { newPassword: string; proof: OwnProof }): Promise<void>;
  /** Wipes keys in every tab; ciphertext stays. */
  lock(): Promise<void>;
  /** Ends the session; wipes keys, ciphertext cache and drafts in every tab. */
  signOut(): Promise<void>;

  /** Runs a command of a feature by its name. */
  run<Name extends keyof VaultCommands>(call: {
    readonly command: Name;
    readonly input: Parameters<VaultCommands[Name]>[0];
  }): Promise<Awaited<ReturnType<VaultCommands[Name]>>>;
}

/** The Worker's face with the commands of all features under their own names. */
export type VaultApi = VaultFace & {
  readonly [Name in keyof VaultCommands]: (
    ...input: Parameters<VaultCommands[Name]>
  ) => Promise<Awaited<ReturnType<VaultCommands[Name]>>>;
};
