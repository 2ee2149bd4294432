import { useState } from 'react';
import { Button } from '../../../design/buttons/button.tsx';
import { RetryIcon } from '../../../design/display/icons.tsx';
import { Notice, type NoticeTone } from '../../../design/display/notice.tsx';
import { ProgressBar } from '../../../design/display/progress-bar.tsx';
import { Status } from '../../../design/display/status.tsx';
import { waitingText } from '../../../texts/of-values/reply-texts.ts';
import { canSucceedAgain, failureText } from '../../../texts/of-values/failure-texts.ts';
import { loadingProgress, loadingText } from '../../../texts/of-values/protection-texts.ts';
import { replyErrorText } from '../../../texts/of-values/reply-error-texts.ts';
import type { AssistantMessage, VaultFailure } from '../../../../vault/api/vault-api.ts';
import { useAppSelector, useVault } from '../../../shell/context/app-context.tsx';

import { StartingLine } from '../../../shell/lines/starting-line.tsx';
import { say } from '../../../texts/say.ts';

type ReplyStatusProps = {
  readonly conversationId: string;
  readonly message: AssistantMessage;
  /** The first of them are to be seen already. */
  readonly hasWords: boolean;
};

/** How far a reply is, in words; nothing once it is whole. */
export function ReplyStatus({ conversationId, message, hasWords }: ReplyStatusProps) {
  const ending = endingOf(message);
  // An end that was there before is read where it stands: opening or scrolling a conversation calls nothing out.
  const [wasAwaited, setWasAwaited] = useState(ending === null);
  if (ending === null && !wasAwaited) setWasAwaited(true);
  if (ending !== null) {
    return <Ending conversationId={conversationId} turnId={message.turnId} isNew={wasAwaited} {...ending} />;
  }
  return <Waiting message={message} hasWords={hasWords} />;
}

type EndingText = { readonly tone: NoticeTone; readonly text: string; readonly retry: boolean };

function endingOf({ state }: AssistantMessage): EndingText | null {
  if (state.kind === 'missing') {
    return { tone: 'caution', text: say('reply-state.missing'), retry: true };
  }
  if (state.kind === 'unsent') {
    const text = failureText(state.failure, say('reply-state.message-kept'));
    return { tone: 'caution', text, retry: canSucceedAgain(state.failure) };
  }
  if (state.kind !== 'ended') return null;
  switch (state.outcome) {
    case 'complete':
      return state.endedEarly ? { tone: 'calm', text: say('reply-state.ended-early'), retry: false } : null;
    case 'stopped':
      return { tone: 'calm', text: say('reply-state.stopped'), retry: true };
    case 'length':
      return { tone: 'calm', text: say('reply-state.length'), retry: false };
    case 'busy':
      return { tone: 'caution', ...replyErrorEnding(state.code ?? 'too-many-turns') };
    case 'cut-off':
      return { tone: 'caution', text: say('reply-state.cut-off'), retry: true };
    case 'error':
      return { tone: 'danger', ...replyErrorEnding(state.code) };
  }
}

function replyErrorEnding(code: string | null): Pick<EndingText, 'text' | 'retry'> {
  const { sentence, wayOut, isForGood = false } = replyErrorText(code);
  return { text: `${sentence} ${say('reply-state.question-kept')} ${wayOut}`, retry: !isForGood };
}

type EndingProps = EndingText & {
  readonly conversationId: string;
  readonly turnId: string;
  /** It came while it was waited for. */
  readonly isNew: boolean;
};

function Ending({ conversationId, turnId, isNew, tone, text, retry }: EndingProps) {
  const vault = useVault();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<VaultFailure | null>(null);

  async function tryAgain() {
    setBusy(true);
    const result = await vault.call((api) => api.retry({ conversationId, turnId }));
    setBusy(false);
    setFailure(result.ok ? null : result.failure);
    if (!result.ok || !window.matchMedia('(pointer: fine)').matches) return;
    // Its row makes room for the new reply's, and the button goes with it.
    document.querySelector<HTMLElement>('#message')?.focus();
  }

  const action = retry ? (
    <Button busy={busy} onClick={() => void tryAgain()}>
      {!busy && <RetryIcon />}
      {say('button.retry')}
    </Button>
  ) : undefined;
  return (
    <Notice tone={tone} urgent={isNew && tone !== 'calm'} action={action} className="text-small">
      <span data-ending={tone}>{text}</span>
      {failure !== null && <span role="alert"> {failureText(failure, say('reply-state.question-kept'))}</span>}
    </Notice>
  );
}

function Waiting({ message, hasWords }: Pick<ReplyStatusProps, 'message' | 'hasWords'>) {
  const loading = useAppSelector((state) => loadingText(state.enclave));
  const progress = useAppSelector(({ enclave }) =>
    enclave.kind === 'verified' ? loadingProgress(enclave.status) : null,
  );
  const startingSinceMs = useAppSelector(({ enclave }) => (enclave.kind === 'starting' ? enclave.sinceMs : null));
  const connection = useAppSelector(({ session }) => session.connection);
  const cutFromRelay = connection === 'relay-unreachable' || connection === 'offline';
  const { kind } = message.state;
  if (cutFromRelay && (kind === 'sealing' || kind === 'connecting')) {
    return (
      <Notice tone="caution" urgent className="text-small">
        {connection === 'offline' ? say('reply-state.kept-offline') : say('reply-state.kept-relay-away')}
      </Notice>
    );
  }
  if (kind === 'sealing') return <Status working>{say('reply-state.sending')}</Status>;
  const waitsFor = message.state.kind === 'waiting' ? waitingText(message.state.cause) : null;
  if (waitsFor !== null) return <Status working>{waitsFor}</Status>;
  if (kind === 'connecting' || kind === 'waiting') {
    if (startingSinceMs !== null && kind === 'connecting') return <StartingLine sinceMs={startingSinceMs} />;
    if (loading === null) {
      return (
        <Status working>{kind === 'connecting' ? say('reply-state.connecting') : say('reply-state.thinking')}</Status>
      );
    }
    return (
      <div className="grid max-w-sm gap-2">
        <Status working>{loading}</Status>
        <ProgressBar label={say('reply-state.model-loading')} value={progress} />
      </div>
    );
  }
  // Between acceptance and the first word.
  return kind === 'streaming' && !hasWords && message.reasoning === '' ? (
    <Status working>{say('reply-state.answering')}</Status>
  ) : null;
}
