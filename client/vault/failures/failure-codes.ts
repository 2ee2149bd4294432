import type { ErrorCode } from '../../../crypto/protocol/messages/error-codes.ts';
import type { RelayCallCode, WayCode } from '../relay/http/relay-call-error.ts';

/** The relay's answer, in its own code or the enclave's. */
export type RelayFailureCode = Exclude<RelayCallCode, WayCode>;

/** Codes of the wire's list that are the vault's own failures too, by the same name. */
export const takenOver = [
  'sign-in-failed',
  'session-ended',
  'sign-up-closed',
  'name-taken',
  'quota-exceeded',
  'enclave-unreachable',
  'enclave-starting',
  'enclave-changed',
] as const satisfies readonly ErrorCode[];

/** Failures that the vault names itself. */
export type OwnFailureCode =
  | WayCode
  | (typeof takenOver)[number]
  /** The password that is to be replaced is another one. */
  | 'wrong-password'
  /** The phrase that this tab was signed in by is no longer kept: the person has to show a way in again. */
  | 'proof-needed'
  | 'invalid-user-name'
  | 'weak-password'
  | 'password-too-long'
  | 'invalid-phrase'
  /** There is none to finish: it was left or begun anew. */
  | 'sign-up-lapsed'
  | 'too-many-attempts'
  /** One account at a time. */
  | 'already-open'
  | 'server-key-changed'
  | 'vault-tampered'
  | 'vault-rolled-back'
  | 'evidence-refused'
  /** The relay refuses the change for good, so it is kept in this browser alone. */
  | 'not-stored'
  | 'message-too-long'
  | 'message-empty'
  | 'title-empty'
  | 'title-too-long'
  | 'preference-too-long'
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

/** Each has its cause, sentence and way out in page/texts/failure-texts.ts. */
export type FailureCode = OwnFailureCode | `relay:${RelayFailureCode}`;

/** Codes that earlier builds stored with a question as if the relay had spoken. */
const earlierCodes: ReadonlyMap<string, FailureCode> = new Map([
  ['relay:foreign-answer', 'foreign-answer'],
  ['relay:too-large-on-the-way', 'too-large-on-the-way'],
  ['relay:malformed-answer', 'malformed-answer'],
]);

/** @returns the code by which this build knows what an earlier build stored; any other code as it is. */
export function currentFailureCode(code: string): string {
  return earlierCodes.get(code) ?? code;
}

export type VaultFailure = {
  readonly code: FailureCode;
  readonly retryAfterMs?: number;
  /** For `invalid-phrase`: the numbers, from 1 on, of the words that are in no recovery phrase. */
  readonly unknownWords?: readonly number[];
};
