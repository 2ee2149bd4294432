import type { FailureCode, OwnFailureCode, VaultFailure } from '../../vault/api/vault-api.ts';
import { type CodeText, reload, tellOperator } from './code-text.ts';
import { relayTexts } from './relay-texts.ts';

const currentBrowser = 'Use a current version of Firefox, Chrome, Edge or Safari.';

/** For every failure that the vault finds itself, or says in other words than the relay's code. */
const ownTexts: Readonly<Record<OwnFailureCode, CodeText>> = {
  'sign-in-failed': relayTexts['sign-in-failed'],
  'wrong-password': {
    cause: 'person',
    sentence: 'This is not your current password.',
    wayOut: 'Check it, then try again.',
  },
  'proof-needed': {
    cause: 'person',
    sentence: 'Some time has passed since you signed in with your recovery phrase.',
    wayOut: 'Type it once more.',
  },
  'name-taken': relayTexts['name-taken'],
  'invalid-user-name': {
    cause: 'person',
    sentence: 'This cannot be a user name.',
    wayOut: 'A user name has 3 to 64 letters, digits, dots, dashes or underscores.',
  },
  'weak-password': {
    cause: 'person',
    sentence: 'This password is too easy to guess.',
    wayOut: 'Use at least 12 characters, best several unrelated words.',
  },
  'password-too-long': {
    cause: 'person',
    sentence: 'This password is too long.',
    wayOut: 'Use at most 1,024 characters.',
  },
  'invalid-phrase': {
    cause: 'person',
    sentence: 'These are not the 24 words of a recovery phrase.',
    wayOut: 'Check their spelling and order.',
  },
  'sign-up-closed': relayTexts['sign-up-closed'],
  'sign-up-lapsed': {
    cause: 'person',
    sentence: 'This sign-up was left before its end.',
    wayOut: 'Begin it again with user name and password.',
  },
  'too-many-attempts': {
    cause: 'person',
    sentence: 'Too many attempts.',
    wayOut: 'Wait some minutes, then try again.',
  },
  'already-open': {
    cause: 'browser',
    sentence: 'An account is open in this browser already.',
    wayOut: 'Reload the page to see it; sign out there to open another.',
  },
  'relay-unreachable': {
    cause: 'way',
    sentence: 'The relay cannot be reached.',
    wayOut: `Look at your connection, then try again. ${tellOperator}`,
  },
  'session-ended': { cause: 'relay', sentence: 'Your session has ended.', wayOut: 'Please sign in again.' },
  'server-key-changed': {
    cause: 'relay',
    sentence: 'The relay answered with another key than the one this account was made with. Nothing was sent.',
    wayOut: 'Do not go on until you know why.',
  },
  'vault-tampered': {
    cause: 'relay',
    sentence: 'The relay sent something that was changed on its way or does not belong to your vault. It was not used.',
    wayOut: reload,
  },
  'vault-rolled-back': {
    cause: 'relay',
    sentence: 'The relay sent an older state of your vault than this browser has seen. It was not used.',
    wayOut: 'Ask whoever runs this service whether a backup was restored.',
  },
  'evidence-refused': {
    cause: 'enclave',
    sentence: 'The enclave could not prove what it has to prove. Nothing was sent to it.',
    wayOut: 'Look at the shield.',
  },
  'enclave-changed': {
    cause: 'enclave',
    sentence: 'The enclave was replaced by one with other protection.',
    wayOut: 'Look at the shield, then try again.',
  },
  'enclave-unreachable': relayTexts['enclave-unreachable'],
  'enclave-starting': relayTexts['enclave-starting'],
  'quota-exceeded': relayTexts['quota-exceeded'],
  'not-stored': {
    cause: 'relay',
    sentence: 'The relay refused to store what you did last. It is kept in this browser alone, and tried again.',
    wayOut: tellOperator,
  },
  'message-too-long': {
    cause: 'person',
    sentence: 'This message is too long to send.',
    wayOut: 'Shorten it, or send it in parts.',
    isForGood: true,
  },
  'message-empty': {
    cause: 'person',
    sentence: 'There is nothing to read in this message.',
    wayOut: 'Write some words.',
  },
  'title-empty': { cause: 'person', sentence: 'A title needs something to read in it.', wayOut: 'Write some words.' },
  'title-too-long': { cause: 'person', sentence: 'This title is too long.', wayOut: 'Use at most 200 characters.' },
  'not-here': {
    cause: 'other-device',
    sentence: 'This is not in your vault any more.',
    wayOut: 'It was probably deleted, here or on another device.',
  },
  'written-elsewhere': {
    cause: 'other-device',
    sentence: 'Other devices of yours kept writing at the same moment.',
    wayOut: 'Try again.',
  },
  'storage-unavailable': {
    cause: 'browser',
    sentence: 'This browser does not let Sotto keep anything.',
    wayOut:
      'Private windows and settings against site data do that. Use an ordinary window, or allow it for this site.',
  },
  'storage-silent': {
    cause: 'browser',
    sentence: 'This browser’s storage has not answered yet; Sotto goes on as soon as it does.',
    wayOut: 'If it stays so, close the other tabs of Sotto, or start the browser anew.',
  },
  'browser-storage-full': {
    cause: 'browser',
    sentence: 'This browser has no room left to keep anything.',
    wayOut: 'Free some space on this device, then try again.',
  },
  'cache-damaged': {
    cause: 'browser',
    sentence:
      'What this browser kept of your chats was damaged. It was set aside and is fetched again; what the relay holds is not affected.',
    wayOut: 'Nothing is to be done. If it comes again, look after this device’s disk.',
  },
  'part-missing': {
    cause: 'way',
    sentence: 'A part of this page did not arrive.',
    wayOut: 'Look at your connection, then reload the page.',
  },
  'browser-failed': {
    cause: 'browser',
    sentence: 'Something went wrong in this browser.',
    wayOut: 'Reload the page, then try again. If it stays so, try another browser.',
  },
  'page-insecure': {
    cause: 'way',
    sentence: 'This page came over an unprotected connection, and browsers encrypt nothing on such a page.',
    wayOut: `Open the address that begins with https://. ${tellOperator}`,
  },
  'webassembly-off': {
    cause: 'browser',
    sentence: 'WebAssembly is switched off in this browser, and Sotto encrypts with it.',
    wayOut: 'Lockdown Mode and strict settings do that. Allow it for this site, then reload the page.',
  },
  'workers-off': {
    cause: 'browser',
    sentence: 'This browser does not let Sotto start the Worker that keeps your keys.',
    wayOut: 'An extension or a setting does that. Allow it for this site, then reload the page.',
  },
  'worker-failed': {
    cause: 'browser',
    sentence: 'The part of Sotto that keeps your keys does not run in this browser.',
    wayOut: 'Reload the page. If it stays so, use a current version of Firefox, Chrome, Edge or Safari.',
  },
  'locks-missing': {
    cause: 'browser',
    sentence: 'This browser has no Web Locks, by which the tabs of Sotto take turns.',
    wayOut: currentBrowser,
  },
  'channel-missing': {
    cause: 'browser',
    sentence: 'This browser has no BroadcastChannel, by which the tabs of Sotto hear of a lock or a sign-out.',
    wayOut: currentBrowser,
  },
  'other-version': {
    cause: 'relay',
    sentence:
      'The relay sent something that another version of Sotto wrote, or that was changed on its way. It was not used.',
    wayOut: reload,
  },
  'newer-keys': {
    cause: 'relay',
    sentence:
      'The relay sent something that is sealed with newer keys than this browser has, or that was changed on its way. It was not used.',
    wayOut: 'Lock Sotto and unlock it again.',
  },
};

/** One table of every failure: code, cause, sentence, way out. */
export const failureTexts: Readonly<Record<FailureCode, CodeText>> = { ...ownTexts, ...prefixed() };

function prefixed(): Record<`relay:${keyof typeof relayTexts}`, CodeText> {
  const entries = Object.entries(relayTexts).map(([code, text]) => [`relay:${code}`, text] as const);
  return Object.fromEntries(entries) as Record<`relay:${keyof typeof relayTexts}`, CodeText>;
}

/** A code that a later build left in this browser. */
const unnamed: CodeText = {
  cause: 'browser',
  sentence: 'That failed for a reason that this version of Sotto does not know.',
  wayOut: reload,
};

function textOf(code: string): CodeText {
  return Object.hasOwn(failureTexts, code) ? failureTexts[code as FailureCode] : unnamed;
}

/** What happened, and nothing of what to do: where there is one line. */
export function failureSentence({ code }: Pick<VaultFailure, 'code'>): string {
  return textOf(code).sentence;
}

/** What to do about it, where that stands apart. */
export function failureWayOut({ code }: Pick<VaultFailure, 'code'>): string {
  return textOf(code).wayOut;
}

/** True where a question that failed so can go through when it is sent once more, as it is. */
export function canSucceedAgain({ code }: Pick<VaultFailure, 'code'>): boolean {
  return textOf(code).isForGood !== true;
}

/**
 * The one text for a failure: what happened, what was kept, what to do and, where that is known, when.
 *
 * @param kept - A sentence of the place that shows it, as "Your text is still here."
 */
export function failureText({ code, retryAfterMs }: VaultFailure, kept?: string): string {
  const { sentence, wayOut } = textOf(code);
  // The relay names a time with every refusal for want of room; an account's own room comes back by no waiting.
  const isWaitEnough = retryAfterMs !== undefined && code !== 'quota-exceeded';
  const then = isWaitEnough ? `Try again in ${waitText(retryAfterMs)}.` : wayOut;
  return [sentence, kept, then].filter((part) => part !== undefined).join(' ');
}

/** A wait in words, rounded up. */
export function waitText(waitMs: number): string {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 90) return `${minutes} minutes`;
  return `${Math.ceil(minutes / 60)} hours`;
}
