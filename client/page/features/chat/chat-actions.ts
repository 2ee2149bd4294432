import type { Action } from '../../actions/action.ts';
import { MenuIcon, PencilIcon, SidebarIcon } from '../../design/display/icons.tsx';
import { say } from '../../texts/say.ts';

/** Actions on the open chat. */
export type ChatControls = {
  readonly newChat: () => void;
  readonly isSidebarShown: boolean;
  readonly toggleSidebar: () => void;
  readonly focusMessageBox: () => void;
  /** Null while no answer is being written. */
  readonly stop: (() => void) | null;
};

type ChatAction = Action<ChatControls>;

export const newChat: ChatAction = {
  name: 'new-chat',
  label: () => say('chat.new'),
  icon: PencilIcon,
  key: { modShift: 'KeyO' },
  perform: (chat) => chat.newChat(),
};

export const showSidebar: ChatAction = {
  name: 'show-sidebar',
  label: () => say('chat.show-sidebar'),
  icon: MenuIcon,
  key: { modShift: 'KeyS' },
  when: (chat) => !chat.isSidebarShown,
  perform: (chat) => chat.toggleSidebar(),
};

export const hideSidebar: ChatAction = {
  name: 'hide-sidebar',
  label: () => say('chat.hide-sidebar'),
  icon: SidebarIcon,
  key: { modShift: 'KeyS' },
  when: (chat) => chat.isSidebarShown,
  perform: (chat) => chat.toggleSidebar(),
};

export const skipToMessageBox: ChatAction = {
  name: 'skip-to-message-box',
  label: () => say('chat.skip'),
  key: { escape: 'with-shift' },
  perform: (chat) => chat.focusMessageBox(),
};

/** The message box and dialogs take Escape before it. */
const stop: ChatAction = {
  name: 'stop',
  label: () => say('composer.stop'),
  key: { escape: 'alone' },
  when: (chat) => chat.stop !== null,
  perform: (chat) => chat.stop?.(),
};

/** A new action of the chat is one more entry. */
export const chatActions: readonly ChatAction[] = [newChat, showSidebar, hideSidebar, skipToMessageBox, stop];
