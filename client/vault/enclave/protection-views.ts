import type { EngineKind, EnclaveStatus } from '../../../crypto/protocol/messages/enclave-messages.ts';
import type { MachineKind } from '../../../crypto/protocol/messages/evidence-messages.ts';
import type { ProtectionClaim } from '../../../crypto/protocol/contents/protection-sentence.ts';
import type { CodedStep, WordedStep } from '../../../crypto/evidence/document-formats.ts';
import type { RefusalCode } from '../../../crypto/evidence/policy/evidence-step.ts';
import type { ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
import type { SetMinimum } from '../items/settings.ts';
import type { VaultFailure } from '../failures/failure-codes.ts';

/*
 * The page gets these to show who could read along: what was verified, what the person asks for, and what changed.
 */

/** A check and what it came to: codes and values, or the words that an earlier build stored. */
export type VerificationStep = CodedStep | WordedStep;

/** The level that an enclave has to offer before anything is sealed to it. */
export type MinimumView = {
  /** For the whole account; null as long as nobody set one. */
  readonly account: SetMinimum | null;
  /** Set for the open conversation alone, and in force. */
  readonly conversation: SetMinimum | null;
  /** The level that holds for the open conversation. */
  readonly effective: ProtectionLevel;
  /** The most that an enclave which this build's policy accepts could offer. */
  readonly strongest: ProtectionLevel;
};

/** An enclave was refused. */
export type RefusedEnclave = {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  readonly steps: readonly VerificationStep[];
  /** The claim that counts without the person's own minimum, when that alone refuses the enclave. */
  readonly withoutMinimum: ProtectionClaim | null;
};

/** A summary of what vouched for the enclave of one turn. */
export type ProtectionFacts = {
  readonly kind: string;
  readonly level: ProtectionLevel;
  readonly model: string;
  readonly measurement: string | null;
  readonly release: string | null;
};

/** A line between the messages. */
export type ConversationNote =
  | { readonly kind: 'minimum-set'; readonly level: ProtectionLevel; readonly atMs: number; readonly isLower: boolean }
  /** The turn that follows went to an enclave that differs from the one before in what it proves or runs. */
  | { readonly kind: 'enclave-changed'; readonly before: ProtectionFacts; readonly after: ProtectionFacts };

/** One enclave of a verification document, in short. */
export type VerifiedEnclaveView = {
  /** The claim that was verified; null where it was refused. */
  readonly claim: ProtectionClaim | null;
  readonly model: string | null;
  readonly measurement: string | null;
  readonly release: { readonly version: string; readonly url: string } | null;
  readonly keyFingerprint: string | null;
  readonly identityFingerprint: string | null;
  readonly steps: readonly VerificationStep[];
};
/** A verification document, to be read and to be saved. */
export type VerificationView = {
  readonly verifiedAtMs: number;
  readonly minimum: ProtectionLevel;
  readonly modelAsked: string;
  readonly evidenceDigest: string | null;
  readonly enclaves: readonly VerifiedEnclaveView[];
  /** The document itself, as `npm run verify` reads it. */
  readonly text: string;
};

/** The state that the shield shows. */
export type EnclaveView =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'unreachable'; readonly failure: VaultFailure }
  /** It boots; since when this browser waits for it. */
  | { readonly kind: 'starting'; readonly sinceMs: number }
  | RefusedEnclave
  | {
      readonly kind: 'verified';
      readonly evidenceKind: MachineKind;
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
