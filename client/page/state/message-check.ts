import { maximumMessageLength } from '../../../crypto/protocol/contents/item-contents.ts';
import { isUnseen } from '../../../crypto/protocol/contents/unseen-text.ts';
import type { VaultFailure } from '../../vault/api/vault-api.ts';
import { failureSentence } from '../texts/of-values/failure-texts.ts';
import { say } from '../texts/say.ts';

/** Why a message is not sent. */
export type MessageProblem =
  | { readonly code: 'nothing-to-read' | 'still-answering' }
  | { readonly code: 'too-long'; readonly excess: number };

/** Why a text cannot be sent; null where it can. Nothing of it is cut. */
export function messageProblem(text: string): MessageProblem | null {
  if (isUnseen(text)) return text === '' ? null : { code: 'nothing-to-read' };
  const excess = text.length - maximumMessageLength;
  return excess <= 0 ? null : { code: 'too-long', excess };
}

export function messageProblemText(problem: MessageProblem): string {
  return problem.code === 'too-long'
    ? say('composer.too-long', { excess: problem.excess })
    : say(`composer.${problem.code}`);
}

/** Says beside the box why the browser does not keep the words in it. */
export function unkeptText(failure: VaultFailure): string {
  const why = failure.code === 'message-too-long' ? say('composer.draft-too-long') : failureSentence(failure);
  return say('composer.unkept', { why });
}
