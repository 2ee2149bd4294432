import type { Ref } from 'react';
import { ActionButton } from '../../actions/action-button.tsx';
import { Button } from '../../design/buttons/button.tsx';
import { PlusIcon } from '../../design/display/icons.tsx';
import { Wordmark } from '../../design/display/wordmark.tsx';
import { Link } from '../../shell/routes/link.tsx';
import { AccountMenu } from './account-menu.tsx';
import { ConversationList } from '../conversations/conversation-list.tsx';
import { type ChatControls, hideSidebar, newChat } from './chat-actions.ts';

type SidebarProps = {
  readonly openId: string | null;
  readonly controls: ChatControls;
  /** The control that hides it. */
  readonly hideRef: Ref<HTMLButtonElement>;
  /** Something was chosen: a drawer closes. */
  readonly onFollow: () => void;
};

export function Sidebar({ openId, controls, hideRef, onFollow }: SidebarProps) {
  return (
    <div className="flex h-full flex-col overflow-x-hidden overflow-y-auto pt-[env(safe-area-inset-top)] pb-[env(safe-area-inset-bottom)] pl-[env(safe-area-inset-left)]">
      <div className="flex flex-wrap items-center justify-between py-3 pr-3 pl-5 short:py-1">
        <Link to={{ page: 'home' }} className="inline-flex rounded-lg">
          <Wordmark className="scale-90 origin-left" />
        </Link>
        <ActionButton ref={hideRef} action={hideSidebar} target={controls} />
      </div>
      <div className="px-3 pt-1 pb-3 short:pt-0 short:pb-1">
        <Button onClick={() => newChat.perform(controls)} className="w-full justify-start px-4">
          <PlusIcon />
          {newChat.label()}
        </Button>
      </div>
      <ConversationList openId={openId} onFollow={onFollow} />
      <div className="border-t border-line p-3 short:p-1">
        <AccountMenu />
      </div>
    </div>
  );
}
