import type { ConversationSummary } from '../../../vault/api/vault-api.ts';
import { say } from '../say.ts';

/** The title of a conversation, also of one that this version of Sotto cannot read. */
export function titleText({ title }: Pick<ConversationSummary, 'title'>): string {
  return title ?? say('conversations.unreadable');
}
