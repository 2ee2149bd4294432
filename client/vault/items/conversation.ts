import type { ConversationContent } from '../../../crypto/protocol/contents/item-contents.ts';
import { isLaterMinimum, type SetMinimum } from './settings.ts';

/** The last writer wins; of two in one millisecond the greater value, so that all devices agree. */
export function withTitle(conversation: ConversationContent, title: ConversationContent['title']): ConversationContent {
  const isNewer =
    title.setAtMs > conversation.title.setAtMs ||
    (title.setAtMs === conversation.title.setAtMs && title.value > conversation.title.value);
  return isNewer ? { ...conversation, title } : conversation;
}

export function withMinimum(conversation: ConversationContent, minimum: SetMinimum): ConversationContent {
  return isLaterMinimum(minimum, conversation.minimumProtection ?? null)
    ? { ...conversation, minimumProtection: minimum }
    : conversation;
}
