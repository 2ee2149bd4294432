import { memo, useRef, useState } from 'react';
import { useAppSelector } from '../../shell/context/app-context.tsx';
import { ConversationRow } from './conversation-row.tsx';
import { conversationActions } from './conversation-actions.ts';
import { ageOf, type ConversationAge } from '../../texts/of-values/time-texts.ts';
import { say } from '../../texts/say.ts';

type ConversationListProps = { readonly openId: string | null; readonly onFollow: () => void };

/** A conversation and the action that asks about it. */
type Asked = { readonly id: string; readonly action: string } | null;

export const ConversationList = memo(function ConversationList({ openId, onFollow }: ConversationListProps) {
  const conversations = useAppSelector((state) => state.conversations);
  const list = useRef<HTMLElement>(null);
  const [asked, setAsked] = useState<Asked>(null);
  const askedFor = asked === null ? undefined : conversations.byId[asked.id];
  const AskedDialog = conversationActions.find(({ name }) => name === asked?.action)?.Dialog;
  const groups = groupByAge(conversations);
  return (
    <nav
      ref={list}
      tabIndex={-1}
      aria-label={say('conversations.name')}
      // Some rows are seen also where not all fit; the sidebar scrolls around them.
      className="min-h-32 flex-1 shrink-0 overflow-y-auto px-3 pb-3 outline-none"
    >
      {conversations.order === null && (
        <p className="px-3 py-2 text-small text-ink-faint">{say('start.loading-chats')}</p>
      )}
      {conversations.order?.length === 0 && (
        <p className="px-3 py-2 text-small text-ink-faint">{say('conversations.empty')}</p>
      )}
      {groups.map(([age, ids]) => (
        <section key={age} aria-label={say(`age.${age}`)} className="mt-4 first:mt-1">
          <h2 className="px-3 pb-1 text-fine text-ink-faint">{say(`age.${age}`)}</h2>
          <ul>
            {ids.map((id) => (
              <ConversationRow
                key={id}
                id={id}
                isOpen={id === openId}
                onFollow={onFollow}
                onAsk={(action) => setAsked({ id, action })}
              />
            ))}
          </ul>
        </section>
      ))}
      {AskedDialog !== undefined && askedFor !== undefined && (
        <AskedDialog
          conversation={askedFor}
          isOpen={askedFor.id === openId}
          onClose={() => setAsked(null)}
          onDeleted={() => list.current?.focus()}
        />
      )}
    </nav>
  );
});

type Conversations = {
  readonly order: readonly string[] | null;
  readonly byId: Readonly<Record<string, { readonly updatedAtMs: number }>>;
};

function groupByAge({ order, byId }: Conversations): [ConversationAge, string[]][] {
  const nowMs = Date.now();
  const groups = new Map<ConversationAge, string[]>();
  for (const id of order ?? []) {
    const age = ageOf(byId[id]?.updatedAtMs ?? nowMs, nowMs);
    groups.set(age, [...(groups.get(age) ?? []), id]);
  }
  return [...groups];
}
