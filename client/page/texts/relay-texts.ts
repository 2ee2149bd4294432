import { type CodeText, reload, tellOperator, tryLater } from './code-text.ts';
import type { RelayFailureCode } from '../../vault/api/vault-api.ts';

const otherDevice: CodeText = {
  cause: 'other-device',
  sentence: 'Another device of yours changed the same at the same moment.',
  wayOut: 'Try again.',
};

/** For every code that the relay answers, its own or the enclave's. A peer sends codes, never words: these are ours. */
export const relayTexts: Readonly<Record<RelayFailureCode, CodeText>> = {
  'bad-request': { cause: 'relay', sentence: 'The relay did not understand this page.', wayOut: reload },
  'unsupported-version': {
    cause: 'relay',
    sentence: 'The relay speaks another version of Sotto than this page.',
    wayOut: reload,
  },
  'not-signed-in': { cause: 'relay', sentence: 'The relay does not know this session.', wayOut: 'Sign in again.' },
  'sign-in-failed': {
    cause: 'person',
    sentence: 'That did not match.',
    wayOut: 'Check the user name and what you typed.',
  },
  'session-ended': { cause: 'relay', sentence: 'The relay has ended your session.', wayOut: 'Please sign in again.' },
  'wrong-origin': {
    cause: 'relay',
    sentence: 'The relay takes this from its own address only, and this page came from another one.',
    wayOut: 'Open Sotto at the address that whoever runs it gave you.',
  },
  'https-required': {
    cause: 'relay',
    sentence: 'The relay takes nothing over a connection that is not encrypted.',
    wayOut: 'Open Sotto at the https address that whoever runs it gave you.',
  },
  'wrong-host': {
    cause: 'relay',
    sentence: 'The relay is not reached under the name of this page.',
    wayOut: 'Open Sotto at the address that whoever runs it gave you.',
  },
  'proof-failed': {
    cause: 'person',
    sentence: 'The relay did not accept this as a proof that the account is yours.',
    wayOut: 'Check what you typed, then try again.',
  },
  'sign-up-closed': {
    cause: 'relay',
    sentence: 'This relay takes no new accounts at the moment.',
    wayOut: 'Ask whoever runs this service.',
  },
  'not-found': {
    cause: 'relay',
    sentence: 'The relay does not have this any more.',
    wayOut: `It may have been deleted on another device. ${reload}`,
  },
  'method-not-allowed': { cause: 'relay', sentence: 'The relay does not offer this.', wayOut: reload },
  'name-taken': { cause: 'person', sentence: 'This user name is taken.', wayOut: 'Please choose another.' },
  'head-conflict': otherDevice,
  'item-conflict': otherDevice,
  'turn-conflict': {
    cause: 'relay',
    sentence: 'The relay already has another question under this number.',
    wayOut: 'Ask again: it goes out under a new one.',
  },
  'enclave-changed': {
    cause: 'enclave',
    sentence: 'The enclave was replaced by another one.',
    wayOut: 'Look at the shield, then try again.',
  },
  'unknown-key': {
    cause: 'enclave',
    sentence: 'The enclave no longer has the key that this was sealed to.',
    wayOut: 'Try again: it is sealed anew.',
  },
  'request-replayed': {
    cause: 'enclave',
    sentence: 'The enclave has had this very request before.',
    wayOut: 'Ask again: it is sealed anew.',
  },
  'request-expired': {
    cause: 'enclave',
    sentence: 'The request reached the enclave too late.',
    wayOut: 'Try again: it is sealed anew.',
  },
  gone: { cause: 'relay', sentence: 'The relay no longer has this answer.', wayOut: 'Ask again.' },
  'too-large': {
    cause: 'person',
    sentence: 'This is larger than the relay takes.',
    wayOut: 'Shorten it, or send it in parts.',
  },
  'wrong-media-type': { cause: 'relay', sentence: 'The relay did not understand this page.', wayOut: reload },
  'request-refused': {
    cause: 'enclave',
    sentence: 'The enclave could not open the request.',
    wayOut: `Ask again: it is sealed anew. ${tellOperator}`,
  },
  'too-many-requests': {
    cause: 'relay',
    sentence: 'That was too much at once for the relay.',
    wayOut: 'Wait until an answer is there, then try again.',
  },
  'quota-exceeded': {
    cause: 'person',
    sentence: 'Your space at the relay is full.',
    wayOut: 'Delete conversations to make room.',
  },
  'storage-full': {
    cause: 'relay',
    sentence: 'The relay has no room left on its disk.',
    wayOut: `${tryLater} ${tellOperator}`,
  },
  'storage-failing': {
    cause: 'relay',
    sentence: 'The relay’s storage does not work at the moment.',
    wayOut: `${tryLater} ${tellOperator}`,
  },
  'internal-error': {
    cause: 'relay',
    sentence: 'Something went wrong at the relay.',
    wayOut: `${tryLater} ${tellOperator}`,
  },
  'enclave-unreachable': {
    cause: 'enclave',
    sentence: 'The relay cannot reach the enclave.',
    wayOut: `${tryLater} ${tellOperator}`,
  },
  'enclave-token-refused': {
    cause: 'relay',
    sentence: 'The enclave does not take calls of this relay: the two were given different secrets.',
    wayOut: tellOperator,
  },
  'enclave-starting': { cause: 'enclave', sentence: 'The enclave is starting.', wayOut: 'Try again in a minute.' },
  'enclave-busy': { cause: 'enclave', sentence: 'The enclave is busy with other questions.', wayOut: tryLater },
  'not-ready': { cause: 'relay', sentence: 'The relay is not ready yet.', wayOut: 'Try again in a minute.' },
  'malformed-answer': {
    cause: 'relay',
    sentence: 'The relay sent an answer that this version of Sotto does not understand.',
    wayOut: reload,
  },
  'foreign-answer': {
    cause: 'way',
    sentence: 'Something in the network answered in the place of the relay.',
    wayOut: `A proxy, a firewall or the log-in page of a network does that. Look at the network, then try again. ${tellOperator}`,
  },
  'too-large-on-the-way': {
    cause: 'way',
    sentence: 'A proxy in the network takes nothing as large as this, and the relay never saw it.',
    wayOut: 'Shorten it, or tell whoever runs this service: the proxy’s limit is too low.',
    isForGood: true,
  },
};
