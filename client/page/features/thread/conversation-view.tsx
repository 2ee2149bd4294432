import { Button } from '../../design/buttons/button.tsx';
import { Status } from '../../design/display/status.tsx';
import { navigate } from '../../state/router.ts';
import { selectMessageOrder } from '../../state/selectors.ts';
import { useAppSelector } from '../../shell/context/app-context.tsx';
import { EmptyChat } from './empty-chat.tsx';
import { MessageList } from './messages/message-list.tsx';
import { say } from '../../texts/say.ts';

type ConversationViewProps = {
  readonly conversationId: string | null;
  readonly sentTurnId: string | null;
  readonly onSuggestion: (text: string) => void;
};

export function ConversationView({ conversationId, sentTurnId, onSuggestion }: ConversationViewProps) {
  const order = useAppSelector((state) => selectMessageOrder(state, conversationId));
  const isKnown = useAppSelector(
    ({ conversations }) =>
      conversationId === null || conversations.order === null || conversations.byId[conversationId] !== undefined,
  );
  const sentQuestionId = useAppSelector((state) => {
    if (conversationId === null || sentTurnId === null) return null;
    const loaded = state.messages[conversationId];
    const questionId = loaded?.order.findLast((id) => {
      const message = loaded.byId[id];
      return message?.role === 'user' && message.turnId === sentTurnId;
    });
    return questionId ?? null;
  });

  if (conversationId === null) return <EmptyChat onSuggestion={onSuggestion} />;
  if (!isKnown && (order === null || order.length === 0)) {
    return (
      <div className="grid flex-1 place-content-center gap-4 px-6 text-center">
        <p className="text-ink-soft">{say('thread.gone')}</p>
        <Button look="primary" onClick={() => navigate({ page: 'chat', conversationId: null })} className="mx-auto">
          {say('thread.start-another')}
        </Button>
      </div>
    );
  }
  if (order === null) {
    return (
      <div className="grid flex-1 place-content-center">
        <Status working>{say('thread.opening')}</Status>
      </div>
    );
  }
  return (
    <MessageList key={conversationId} conversationId={conversationId} order={order} sentQuestionId={sentQuestionId} />
  );
}
