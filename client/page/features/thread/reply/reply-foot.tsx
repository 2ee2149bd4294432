import { type RefObject, use } from 'react';
import { IconButton } from '../../../design/buttons/icon-button.tsx';
import { ShieldIcon } from '../../../design/display/icons.tsx';
import { leftOutText } from '../../../texts/of-values/reply-texts.ts';
import { shortModelName, storedProtectionText } from '../../../texts/of-values/protection-texts.ts';
import type { AssistantMessage } from '../../../../vault/api/vault-api.ts';
import { OpenDocumentContext } from '../../verification/open-document.ts';
import { CopyButton } from '../../../design/buttons/copy-button.tsx';
import { copyMessage } from './copy-message.ts';
import { timeText } from '../../../texts/of-values/time-texts.ts';
import { say } from '../../../texts/say.ts';

type ReplyFootProps = {
  readonly message: AssistantMessage;
  readonly words: RefObject<HTMLDivElement | null>;
  /** Takes its room already while the reply grows, so that nothing moves when it ends. */
  readonly hidden: boolean;
};

export function ReplyFoot({ message, words, hidden }: ReplyFootProps) {
  const openDocument = use(OpenDocumentContext);
  const facts = [
    message.model === null ? null : shortModelName(message.model),
    message.usage === null ? null : say('thread.tokens', { count: message.usage.replyTokens }),
    timeText(message.createdAtMs),
  ].filter((fact) => fact !== null);
  return (
    <div className={`-ml-2 text-fine text-ink-faint touch:-ml-3 ${hidden ? 'invisible' : ''}`}>
      <div className="flex min-h-9 flex-wrap items-center gap-x-1 touch:min-h-11 short:flex-nowrap">
        {message.text !== '' && (
          <CopyButton label={say('thread.copy-answer')} copy={() => copyMessage(message.text, words.current)} />
        )}
        {message.isDocumented && (
          <IconButton label={say('document.heading')} onClick={() => openDocument(message.turnId)}>
            <ShieldIcon />
          </IconButton>
        )}
        <span className="min-w-0 pl-2 wrap-anywhere touch:pl-3 short:truncate">{facts.join(' · ')}</span>
      </div>
      {message.protection !== null && !message.isDocumented && (
        <p className="pl-2 touch:pl-3">{storedProtectionText(message.protection)}</p>
      )}
      {message.leftOut > 0 && <p className="pl-2 touch:pl-3">{leftOutText(message.leftOut)}</p>}
    </div>
  );
}
