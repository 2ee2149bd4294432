import { ActionItems } from '../../actions/action-items.tsx';
import { iconButtonClasses } from '../../design/buttons/icon-button.tsx';
import { MoreIcon } from '../../design/display/icons.tsx';
import { Menu } from '../../design/overlays/menu.tsx';
import { Spinner } from '../../design/display/spinner.tsx';
import { useAppSelector } from '../../shell/context/app-context.tsx';
import { Link } from '../../shell/routes/link.tsx';
import { titleText } from '../../texts/of-values/conversation-texts.ts';
import { say } from '../../texts/say.ts';
import { conversationActions } from './conversation-actions.ts';

type ConversationRowProps = {
  readonly id: string;
  readonly isOpen: boolean;
  readonly onFollow: () => void;
  /** Opens the dialog of an action, by the name of the action. */
  readonly onAsk: (action: string) => void;
};

export function ConversationRow({ id, isOpen, onFollow, onAsk }: ConversationRowProps) {
  const conversation = useAppSelector((state) => state.conversations.byId[id]);
  if (conversation === undefined) return null;
  const { answering, stored } = conversation;
  const title = titleText(conversation);
  return (
    <li
      className={`group/row flex items-center rounded-control transition-colors ${isOpen ? 'bg-accent-soft' : 'hover:bg-paper'}`}
    >
      <Link
        to={{ page: 'chat', conversationId: id }}
        aria-current={isOpen ? 'page' : undefined}
        onClick={onFollow}
        className="flex min-h-10 min-w-0 flex-1 items-center gap-2 rounded-control py-1.5 pl-3 touch:min-h-11"
      >
        <span dir="auto" className="min-w-0 flex-1 truncate">
          {title}
        </span>
        {answering && (
          <span className="text-accent" title={say('conversations.answering')}>
            <Spinner className="size-3.5" />
          </span>
        )}
        {!stored && (
          <span
            className="shrink-0 rounded-full bg-caution-soft px-2 text-fine text-caution"
            title={say('conversations.unsent-hint')}
          >
            {say('conversations.unsent')}
          </span>
        )}
      </Link>
      <Menu
        trigger={
          <button
            type="button"
            aria-label={say('conversations.options', { title })}
            className={`${iconButtonClasses} opacity-0 group-focus-within/row:opacity-100 group-hover/row:opacity-100 data-popup-open:opacity-100 touch:opacity-100 ${isOpen ? 'opacity-100' : ''}`}
          >
            <MoreIcon />
          </button>
        }
      >
        <ActionItems actions={conversationActions} target={{ id, openDialog: onAsk }} />
      </Menu>
    </li>
  );
}
