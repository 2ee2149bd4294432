import { useRef } from 'react';
import { LogoMark } from '../../../design/display/wordmark.tsx';
import { isActive } from '../../../state/selectors.ts';
import type { AssistantMessage } from '../../../../vault/api/vault-api.ts';
import { ReplyFoot } from './reply-foot.tsx';
import { ReplyStatus } from './reply-status.tsx';
import { MarkdownText } from '../../markdown/markdown-text.tsx';
import { Reasoning } from './reasoning.tsx';
import { timeText } from '../../../texts/of-values/time-texts.ts';
import { useRevealedText } from './use-revealed-text.ts';
import { say } from '../../../texts/say.ts';

type ReplyMessageProps = {
  readonly conversationId: string;
  readonly message: AssistantMessage;
  readonly position: number;
  readonly count: number;
  readonly isTabStop: boolean;
};

export function ReplyMessage({ conversationId, message, position, count, isTabStop }: ReplyMessageProps) {
  const words = useRef<HTMLDivElement>(null);
  const active = isActive(message);
  const { shown, revealing } = useRevealedText(message.text, active);
  const growing = active || revealing;
  return (
    <article
      aria-label={say('thread.assistant-at', { time: timeText(message.createdAtMs) })}
      aria-busy={growing}
      aria-posinset={position}
      aria-setsize={count}
      // Keys step from message to message (use-message-keys.ts).
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={isTabStop ? 0 : -1}
      data-message={message.id}
      // On paper no grid: Firefox would move it to the next page as a whole.
      className="group grid grid-cols-[minmax(0,1fr)] gap-x-4 rounded-control sm:grid-cols-[auto_minmax(0,1fr)] print:block"
    >
      <LogoMark className={`mt-0.5 hidden size-6 sm:block ${growing ? 'breathe' : ''}`} />
      {/* Columns that may be narrower than their widest word: only a wide block scrolls, inside itself. */}
      <div className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-3 short:gap-1 print:block">
        {message.reasoning !== '' && <Reasoning text={message.reasoning} thinking={active && message.text === ''} />}
        {shown !== '' && (
          <div ref={words}>
            <MarkdownText text={shown} growing={growing} />
          </div>
        )}
        <ReplyStatus conversationId={conversationId} message={message} hasWords={shown !== ''} />
        <ReplyFoot message={message} words={words} hidden={growing} />
      </div>
    </article>
  );
}
