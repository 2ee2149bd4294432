import { memo, type Ref } from 'react';
import { selectMessage } from '../../../state/selectors.ts';
import { useAppSelector } from '../../../shell/context/app-context.tsx';
import { ConversationNotes } from './conversation-notes.tsx';
import { ReplyMessage } from '../reply/reply-message.tsx';
import { QuestionMessage } from './question-message.tsx';

type MessageRowProps = {
  readonly conversationId: string;
  readonly messageId: string;
  readonly index: number;
  readonly count: number;
  /** Distance from the top of the list in px; null on paper, where rows follow each other. */
  readonly start: number | null;
  /** The one message that Tab reaches; arrows go on from it. */
  readonly isTabStop: boolean;
  readonly measure: Ref<HTMLDivElement>;
};

/** One row, one subscription: words that another reply gets do not render this one. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { conversationId, messageId, index, count, start, isTabStop, measure } = props;
  const message = useAppSelector((state) => selectMessage(state, conversationId, messageId));
  return (
    <div
      ref={measure}
      data-index={index}
      // Stacked accents may rise far above their line: they do not paint over other messages.
      className="absolute inset-x-0 top-0 overflow-clip print:static"
      style={start === null ? undefined : { transform: `translateY(${start}px)` }}
    >
      <div
        className={`mx-auto w-full max-w-3xl px-4 pt-1 sm:px-6 ${message?.role === 'user' ? 'pb-2' : 'pb-7 short:pb-2'}`}
      >
        {message?.role === 'user' && (
          <>
            <ConversationNotes notes={message.notesBefore} />
            <QuestionMessage message={message} position={index + 1} count={count} isTabStop={isTabStop} />
          </>
        )}
        {message?.role === 'assistant' && (
          <>
            <ReplyMessage
              conversationId={conversationId}
              message={message}
              position={index + 1}
              count={count}
              isTabStop={isTabStop}
            />
            {message.notesAfter.length > 0 && <div className="h-6" />}
            <ConversationNotes notes={message.notesAfter} />
          </>
        )}
      </div>
    </div>
  );
});
