import { maximumMessageLength } from '../../../crypto/protocol/contents/item-contents.ts';
import { isUnseen } from '../../../crypto/protocol/contents/unseen-text.ts';
import type { VaultFailure } from '../../vault/api/vault-api.ts';
import { failureSentence } from '../texts/failure-texts.ts';

const counted = new Intl.NumberFormat('en');

/** Why a text cannot be sent, in a sentence; null where it can. Nothing of it is cut. */
export function messageProblem(text: string): string | null {
  if (isUnseen(text)) return text === '' ? null : 'There is nothing to read in this message. Write some words.';
  const excess = text.length - maximumMessageLength;
  if (excess <= 0) return null;
  const much = excess === 1 ? '1 character' : `${counted.format(excess)} characters`;
  return `This message is too long by ${much}. It is all still here: shorten it, or send it in parts.`;
}

/** Says beside the box why the browser does not keep the words in it. */
export function unkeptText(failure: VaultFailure): string {
  const why =
    failure.code === 'message-too-long' ? 'This is too long to be kept as a draft.' : failureSentence(failure);
  return `${why} It stands in the box alone, and is gone when this page is closed.`;
}
