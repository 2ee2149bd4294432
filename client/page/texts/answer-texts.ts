import type { ReplyCause } from '../../../crypto/protocol/contents/reply-note.ts';

/** While nothing has come yet; null where the usual words say enough. */
export function waitingText(cause: ReplyCause | undefined): string | null {
  switch (cause) {
    case 'model-loading':
      return 'The model is being loaded';
    case 'model-overloaded':
      return 'The model is busy; your question waits';
    case 'server-failed':
      return 'The model’s server has a fault; trying again';
    default:
      return null;
  }
}

export function leftOutText(messages: number): string {
  return messages === 1
    ? 'The oldest message was left out: the model could not take them all.'
    : `The ${messages} oldest messages were left out: the model could not take them all.`;
}
