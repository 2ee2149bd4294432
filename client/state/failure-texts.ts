import type { ErrorCode } from '../../crypto/messages/error-codes.ts';
import type { FailureCode, VaultFailure } from '../vault/vault-api.ts';

const texts: Record<Exclude<FailureCode, `relay:${string}`>, string> = {
  'sign-in-failed': 'That did not match. Check the user name and what you typed.',
  'name-taken': 'This user name is taken. Please choose another.',
  'invalid-user-name': 'A user name has 3 to 64 letters, digits, dots, dashes or underscores.',
  'weak-password': 'This password is too easy to guess. Use at least 12 characters, best several unrelated words.',
  'invalid-phrase': 'These are not the 24 words of a recovery phrase. Check their spelling and order.',
  'sign-up-closed': 'This service takes no new accounts at the moment.',
  'too-many-attempts': 'Too many attempts.',
  'relay-unreachable': 'Relay unreachable.',
  'session-ended': 'Your session has ended. Please sign in again.',
  'server-key-changed':
    'The service answered with another key than the one this account was made with. Nothing was sent. Do not go on until you know why.',
  'vault-tampered':
    'The relay sent something that was changed on its way or does not belong to your vault. It was not used.',
  'vault-rolled-back': 'The relay sent an older state of your vault than this browser has seen. It was not used.',
  'evidence-refused': 'The enclave could not prove what it has to prove. Nothing was sent to it.',
  'enclave-changed': 'The enclave was replaced by one with other protection. Look at the shield, then try again.',
  'enclave-unreachable': 'The enclave cannot be reached.',
  'enclave-starting': 'The enclave is starting.',
  'quota-exceeded': 'Your space at the relay is full. Delete conversations to make room.',
  'not-stored': 'The relay refused to store what you did last. It is kept in this browser alone, and tried again.',
  'message-too-long': 'This message is too long to send.',
  'storage-unavailable': 'This browser does not let Sotto keep anything. Private windows and full disks do that.',
  'cache-damaged':
    'What this browser kept of your chats was damaged. It was set aside and is fetched again; what the relay holds is not affected.',
  'other-version':
    'The relay sent something that another version of Sotto wrote, or that was changed on its way. It was not used. Reload the page.',
  'newer-keys':
    'The relay sent something that is sealed with newer keys than this browser has, or that was changed on its way. It was not used. Lock Sotto and unlock it again.',
};

/** The relay and the worker send codes, never words: these are ours for them. */
const relayTexts: Record<ErrorCode, string> = {
  'bad-request': 'it did not understand the request',
  'unsupported-version': 'it speaks another version; reload the page',
  'not-signed-in': 'you are not signed in',
  'sign-in-failed': 'the sign-in did not match',
  'session-ended': 'the session has ended',
  'wrong-origin': 'the request came from another site',
  'sign-up-closed': 'it takes no new accounts',
  'not-found': 'it has nothing under this id',
  'method-not-allowed': 'it does not offer this',
  'name-taken': 'the user name is taken',
  'head-conflict': 'another device wrote at the same time',
  'item-conflict': 'another device changed the same thing',
  'turn-conflict': 'it knows this turn with other contents',
  'enclave-changed': 'the enclave was replaced',
  'unknown-key': 'the enclave no longer has the key',
  'request-replayed': 'the enclave has seen this request before',
  'request-expired': 'the request came too late',
  gone: 'it no longer has this answer',
  'too-large': 'that is too large',
  'wrong-media-type': 'it did not understand the request',
  'request-refused': 'the enclave could not open the request',
  'too-many-requests': 'too much at once; wait until an answer is there',
  'quota-exceeded': 'your space is full',
  'storage-full': 'its disk is full',
  'storage-failing': 'its storage does not work at the moment',
  'internal-error': 'something went wrong there',
  'enclave-unreachable': 'it cannot reach the enclave',
  'enclave-starting': 'the enclave is starting',
  'enclave-busy': 'the enclave is busy',
  'not-ready': 'it is not ready yet',
};

/** The one text for a failure, with the time to wait where there is one. */
export function failureText(failure: VaultFailure): string {
  const { code, retryAfterMs } = failure;
  const wait = retryAfterMs === undefined ? '' : ` Try again in ${waitText(retryAfterMs)}.`;
  return `${codeText(code)}${wait}`;
}

function codeText(code: FailureCode): string {
  if (isRelayCode(code)) return `The relay says: ${relayTextOf(code.slice('relay:'.length))}.`;
  return texts[code];
}

function isRelayCode(code: FailureCode): code is `relay:${string}` {
  return code.startsWith('relay:');
}

function relayTextOf(code: string): string {
  return Object.hasOwn(relayTexts, code) ? relayTexts[code as ErrorCode] : 'something that this version does not know';
}

/** A wait in words, rounded up. */
export function waitText(waitMs: number): string {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 90) return `${minutes} minutes`;
  return `${Math.ceil(minutes / 60)} hours`;
}

/** Why an answer of the model ended in an error; the code comes from inside the seal. */
export function replyErrorText(code: string | null): string {
  return code === null ? 'The model stopped with an error.' : `The model stopped with an error (${code}).`;
}
