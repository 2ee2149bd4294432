import type { ReplyCause } from '../../../../crypto/protocol/contents/reply-note.ts';
import { say } from '../say.ts';

/** While nothing has come yet; null where the usual words say enough. */
export function waitingText(cause: ReplyCause | undefined): string | null {
  switch (cause) {
    case 'model-loading':
    case 'model-overloaded':
    case 'server-failed':
      return say(`reply-state.waits.${cause}`);
    default:
      return null;
  }
}

export function leftOutText(messages: number): string {
  return say('thread.left-out', { count: messages });
}
