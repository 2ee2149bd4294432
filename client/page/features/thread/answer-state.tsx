import { useState } from 'react';
import { Button } from '../../design/button.tsx';
import { RetryIcon } from '../../design/icons.tsx';
import { Notice, type NoticeTone } from '../../design/notice.tsx';
import { ProgressBar } from '../../design/progress-bar.tsx';
import { Status } from '../../design/status.tsx';
import { waitingText } from '../../texts/answer-texts.ts';
import { canSucceedAgain, failureText } from '../../texts/failure-texts.ts';
import { loadingProgress, loadingText } from '../../texts/protection-texts.ts';
import { replyErrorText } from '../../texts/reply-error-texts.ts';
import type { AssistantMessage, VaultFailure } from '../../../vault/api/vault-api.ts';
import { useAppSelector, useVault } from '../../shell/app-context.tsx';

import { StartingLine } from '../../shell/starting-line.tsx';

type AnswerStateProps = {
  readonly conversationId: string;
  readonly message: AssistantMessage;
  /** The first of them are to be seen already. */
  readonly hasWords: boolean;
};

/** How far an answer is, in words; nothing once it is whole. */
export function AnswerState({ conversationId, message, hasWords }: AnswerStateProps) {
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
    return { tone: 'caution', text: 'Reply missing: the relay has no answer to this question.', retry: true };
  }
  if (state.kind === 'unsent') {
    const text = failureText(state.failure, 'Your message is kept.');
    return { tone: 'caution', text, retry: canSucceedAgain(state.failure) };
  }
  if (state.kind !== 'ended') return null;
  switch (state.outcome) {
    case 'complete':
      return state.endedEarly
        ? { tone: 'calm', text: 'The answer is whole; the relay ended the transmission early.', retry: false }
        : null;
    case 'stopped':
      return { tone: 'calm', text: 'Stopped. What had come is kept.', retry: true };
    case 'length':
      return { tone: 'calm', text: 'The answer reached the length that the model allows.', retry: false };
    case 'busy':
      return { tone: 'caution', ...replyErrorEnding(state.code ?? 'too-many-turns') };
    case 'cut-off':
      return { tone: 'caution', text: 'This answer was cut off. It is not complete.', retry: true };
    case 'error':
      return { tone: 'danger', ...replyErrorEnding(state.code) };
  }
}

function replyErrorEnding(code: string | null): Pick<EndingText, 'text' | 'retry'> {
  const { sentence, wayOut, isForGood = false } = replyErrorText(code);
  return { text: `${sentence} Your question is kept. ${wayOut}`, retry: !isForGood };
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
    // Its row makes room for the new answer's, and the button goes with it.
    document.querySelector<HTMLElement>('#message')?.focus();
  }

  const action = retry ? (
    <Button busy={busy} onClick={() => void tryAgain()}>
      {!busy && <RetryIcon />}
      Retry
    </Button>
  ) : undefined;
  return (
    <Notice tone={tone} urgent={isNew && tone !== 'calm'} action={action} className="text-small">
      <span data-ending={tone}>{text}</span>
      {failure !== null && <span role="alert"> {failureText(failure, 'Your question is kept.')}</span>}
    </Notice>
  );
}

function Waiting({ message, hasWords }: Pick<AnswerStateProps, 'message' | 'hasWords'>) {
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
        {connection === 'offline'
          ? 'Your message is kept, and goes out when you are online again.'
          : 'Relay unreachable. Your message is kept, and goes out when it can be reached again.'}
      </Notice>
    );
  }
  if (kind === 'sealing') return <Status working>Sealing your message</Status>;
  const waitsFor = message.state.kind === 'waiting' ? waitingText(message.state.cause) : null;
  if (waitsFor !== null) return <Status working>{waitsFor}</Status>;
  if (kind === 'connecting' || kind === 'waiting') {
    if (startingSinceMs !== null && kind === 'connecting') return <StartingLine sinceMs={startingSinceMs} />;
    if (loading === null) {
      return (
        <Status working>{kind === 'connecting' ? 'Connecting to the enclave' : 'The enclave has your question'}</Status>
      );
    }
    return (
      <div className="grid max-w-sm gap-2">
        <Status working>{loading}</Status>
        <ProgressBar label="Model loading" value={progress} />
      </div>
    );
  }
  // Between acceptance and the first word.
  return kind === 'streaming' && !hasWords && message.reasoning === '' ? <Status working>Answering</Status> : null;
}
