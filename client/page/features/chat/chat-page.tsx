import { useCallback, useEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { ActionButton } from '../../actions/action-button.tsx';
import { useActionKeys } from '../../actions/use-action-keys.ts';
import { Drawer } from '../../design/overlays/drawer.tsx';
import { StrictStyles } from '../../design/styles/strict-styles.tsx';
import { navigate } from '../../state/router.ts';
import { selectActiveTurnId } from '../../state/selectors.ts';
import { useAppSelector, useVault } from '../../shell/context/app-context.tsx';
import { ConnectionLine } from '../../shell/lines/connection-line.tsx';
import { PageHeading } from '../../shell/frames/page-heading.tsx';
import { OpenDocumentContext } from '../verification/open-document.ts';
import { ProtectionAnnouncer } from '../shield/protection-announcer.tsx';
import { ShieldDialog, type ShieldPanel } from '../shield/shield-dialog.tsx';
import { ReplyAnnouncer } from '../thread/reply/reply-announcer.tsx';
import { Composer, type ComposerHandle } from '../composer/composer.tsx';
import { ConversationView } from '../thread/conversation-view.tsx';
import { loadHighlighter } from '../markdown/elements/use-highlighter.ts';
import { type LinkQuestion, OpenLinkDialog } from '../markdown/elements/open-link-dialog.tsx';
import { type LinkSource, OpenLinkContext } from '../markdown/elements/safe-link.tsx';
import { chatActions, type ChatControls, newChat, showSidebar, skipToMessageBox } from './chat-actions.ts';
import { Sidebar } from './sidebar.tsx';
import { useNarrowScreen } from './use-narrow-screen.ts';
import { titleText } from '../../texts/of-values/conversation-texts.ts';
import { say } from '../../texts/say.ts';

type Sent = { readonly conversationId: string; readonly turnId: string };

export function ChatPage({ conversationId }: { readonly conversationId: string | null }) {
  const vault = useVault();
  const composer = useRef<ComposerHandle>(null);
  /** Whichever is there: the one that shows the sidebar, or the one that hides it. */
  const sidebarButton = useRef<HTMLButtonElement>(null);
  const isNarrow = useNarrowScreen();
  const [sidebar, setSidebar] = useState({ wide: true, narrow: false });
  const [shield, setShield] = useState<ShieldPanel | null>(null);
  const [address, setAddress] = useState<LinkQuestion | null>(null);
  const [sent, setSent] = useState<Sent | null>(null);
  const title = useAppSelector(({ conversations }) => {
    const open = conversationId === null ? undefined : conversations.byId[conversationId];
    return open === undefined ? null : titleText(open);
  });
  const activeTurnId = useAppSelector((state) => selectActiveTurnId(state, conversationId));

  useEffect(() => void loadHighlighter(), []);
  useEffect(() => void vault.call((api) => api.openConversation({ conversationId })), [conversationId, vault]);
  useEffect(() => () => void vault.call((api) => api.closeConversation()), [vault]);

  const askAboutLink = useCallback((to: string, source: LinkSource) => setAddress({ address: to, source }), []);
  const openDocument = useCallback((turnId: string) => setShield({ kind: 'document', turnId }), []);
  const closeDrawer = useCallback(() => setSidebar((now) => ({ ...now, narrow: false })), []);
  const toggleSidebar = useCallback(() => {
    flushSync(() => setSidebar((now) => (isNarrow ? { ...now, narrow: !now.narrow } : { ...now, wide: !now.wide })));
    // The control that was pressed went away with it, or came back in it; a drawer sees to that itself.
    if (!isNarrow && document.activeElement === document.body) sidebarButton.current?.focus();
  }, [isNarrow]);
  const beginChat = useCallback(() => {
    navigate({ page: 'chat', conversationId: null });
    closeDrawer();
    composer.current?.focus();
  }, [closeDrawer]);
  const shown = isNarrow ? sidebar.narrow : sidebar.wide;
  const controls: ChatControls = {
    newChat: beginChat,
    isSidebarShown: shown,
    toggleSidebar,
    focusMessageBox: () => composer.current?.focus(),
    stop: activeTurnId === null ? null : () => void vault.call((api) => api.stop({ turnId: activeTurnId })),
  };
  useActionKeys(chatActions, controls);

  const heading = conversationId === null ? say('chat.new-heading') : (title ?? say('chat.conversation'));
  const contents = (
    <Sidebar
      openId={conversationId}
      controls={controls}
      hideRef={isNarrow ? null : sidebarButton}
      onFollow={closeDrawer}
    />
  );
  return (
    <StrictStyles>
      <OpenLinkContext value={askAboutLink}>
        <div className="flex h-dvh overflow-hidden print:block print:h-auto print:overflow-visible">
          <a
            href="#message"
            onClick={(event) => {
              event.preventDefault();
              skipToMessageBox.perform(controls);
            }}
            className="sr-only rounded-control bg-raised px-4 py-2 focus:not-sr-only focus:absolute focus:top-3 focus:left-3 focus:z-10"
          >
            {skipToMessageBox.label()}
          </a>
          {!isNarrow && shown && (
            <aside className="w-72 shrink-0 print:hidden border-r border-line bg-sunken">{contents}</aside>
          )}
          {isNarrow && (
            <Drawer open={shown} onClose={closeDrawer} label={say('chat.menu')}>
              {contents}
            </Drawer>
          )}
          <main
            id="main"
            className="flex min-w-0 flex-1 flex-col overflow-x-hidden overflow-y-auto overscroll-contain print:block print:overflow-visible"
          >
            <header className="flex min-h-14 shrink-0 items-center gap-2 px-3 pt-[env(safe-area-inset-top)] short:min-h-11">
              {/* Below an open drawer it stays: the focus comes back to it. */}
              {(isNarrow || !shown) && <ActionButton ref={sidebarButton} action={showSidebar} target={controls} />}
              <PageHeading takesFocus={false} className="min-w-0 flex-1 px-1 font-semibold sm:px-3">
                {/* A title from right to left keeps its beginning too. */}
                <span dir="auto" className={conversationId === null ? 'sr-only' : 'block truncate text-left'}>
                  {heading}
                </span>
              </PageHeading>
              {(isNarrow || !shown) && <ActionButton action={newChat} target={controls} />}
            </header>
            <ConnectionLine kept={say('connection.kept-written')} />
            <OpenDocumentContext value={openDocument}>
              <ConversationView
                conversationId={conversationId}
                sentTurnId={sent !== null && sent.conversationId === conversationId ? sent.turnId : null}
                onSuggestion={(text) => composer.current?.fill(text)}
              />
            </OpenDocumentContext>
            <ReplyAnnouncer key={conversationId} conversationId={conversationId} />
            <ProtectionAnnouncer />
            <Composer
              ref={composer}
              conversationId={conversationId}
              onShowShield={() => setShield({ kind: 'details' })}
              onSent={(sentTo, turnId) => {
                setSent({ conversationId: sentTo, turnId });
                navigate({ page: 'chat', conversationId: sentTo }, { replace: conversationId === null });
              }}
            />
          </main>
        </div>
        <ShieldDialog panel={shield} onPanel={setShield} conversationId={conversationId} />
        <OpenLinkDialog question={address} onClose={() => setAddress(null)} />
      </OpenLinkContext>
    </StrictStyles>
  );
}
