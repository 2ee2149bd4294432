import type { ComponentType } from 'react';
import type { ConversationSummary } from '../../../vault/api/vault-api.ts';
import type { Action } from '../../actions/action.ts';
import { PencilIcon, TrashIcon } from '../../design/display/icons.tsx';
import { say } from '../../texts/say.ts';
import { DeleteConversationDialog } from './delete-conversation-dialog.tsx';
import { RenameConversationDialog } from './rename-conversation-dialog.tsx';

/** One conversation of the list. */
export type ConversationTarget = {
  readonly id: string;
  /** Opens the dialog of an action, by the name of the action. */
  readonly openDialog: (name: string) => void;
};

type ConversationDialogProps = {
  readonly conversation: ConversationSummary;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** The row that had the focus is gone. */
  readonly onDeleted: () => void;
};

export type ConversationAction = Action<ConversationTarget> & {
  /** A dialog inside the menu would go with it: the list shows it. */
  readonly Dialog?: ComponentType<ConversationDialogProps>;
};

/** In the order of the menu beside each conversation: a new action is one more entry. */
export const conversationActions: readonly ConversationAction[] = [
  {
    name: 'rename',
    label: () => say('button.rename'),
    icon: PencilIcon,
    perform: ({ openDialog }) => openDialog('rename'),
    Dialog: RenameConversationDialog,
  },
  {
    name: 'delete',
    label: () => say('button.delete'),
    icon: TrashIcon,
    tone: 'danger',
    perform: ({ openDialog }) => openDialog('delete'),
    Dialog: DeleteConversationDialog,
  },
];
