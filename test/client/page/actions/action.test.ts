import { expect, test } from 'vitest';
import { accountActions } from '../../../../client/page/features/chat/account-actions.ts';
import { chatActions, type ChatControls } from '../../../../client/page/features/chat/chat-actions.ts';
import { conversationActions } from '../../../../client/page/features/conversations/conversation-actions.ts';
import { possibleActions } from '../../../../client/page/actions/action.ts';

const nothing = () => undefined;
const chats: readonly ChatControls[] = [true, false].flatMap((isSidebarShown) =>
  [null, nothing].map((stop) => ({
    isSidebarShown,
    stop,
    newChat: nothing,
    toggleSidebar: nothing,
    focusMessageBox: nothing,
  })),
);

test('the actions of the page have a name each, and words', () => {
  const all = [...chatActions, ...accountActions, ...conversationActions];
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const { label } of all) expect(label()).toMatch(/^[A-Z]/);
});

test('a key means one action at a time, whatever the chat shows', () => {
  for (const chat of chats) {
    const keys = possibleActions(chatActions, chat).map(({ key }) => JSON.stringify(key));
    expect(new Set(keys).size).toBe(keys.length);
  }
});

test('possibleActions: stop and the sidebar’s two depend on what the chat shows, and the others are always there', () => {
  const namesOf = (chat: ChatControls) => possibleActions(chatActions, chat).map(({ name }) => name);
  expect(chats.map(namesOf)).toEqual([
    ['new-chat', 'hide-sidebar', 'skip-to-message-box'],
    ['new-chat', 'hide-sidebar', 'skip-to-message-box', 'stop'],
    ['new-chat', 'show-sidebar', 'skip-to-message-box'],
    ['new-chat', 'show-sidebar', 'skip-to-message-box', 'stop'],
  ]);
});
