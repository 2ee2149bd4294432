import type { UserMessage } from '../../../../vault/api/vault-api.ts';
import { breakGiants } from '../../markdown/source/giant-characters.ts';
import { CopyButton } from '../../../design/buttons/copy-button.tsx';
import { timeText } from '../../../texts/of-values/time-texts.ts';
import { say } from '../../../texts/say.ts';

type QuestionMessageProps = {
  readonly message: UserMessage;
  readonly position: number;
  readonly count: number;
  readonly isTabStop: boolean;
};

export function QuestionMessage({ message, position, count, isTabStop }: QuestionMessageProps) {
  return (
    <article
      aria-label={say('thread.you-at', { time: timeText(message.createdAtMs) })}
      aria-posinset={position}
      aria-setsize={count}
      // Keys step from message to message (use-message-keys.ts).
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={isTabStop ? 0 : -1}
      data-message={message.id}
      className="group flex flex-col items-end rounded-control"
    >
      <div
        dir="auto"
        className="max-w-[85%] rounded-[1.25rem] rounded-br-md border border-transparent bg-accent-soft px-5 py-3 wrap-anywhere whitespace-pre-wrap"
      >
        {breakGiants(message.text)}
      </div>
      <div className="mt-0.5 -mr-2 flex min-h-9 items-center gap-1 text-fine text-ink-faint opacity-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100 touch:-mr-3 touch:opacity-100">
        <span>{timeText(message.createdAtMs)}</span>
        <CopyButton label={say('thread.copy-question')} copy={() => navigator.clipboard.writeText(message.text)} />
      </div>
    </article>
  );
}
