import { ProgressBar } from '../../design/display/progress-bar.tsx';
import { engineText, loadingProgress, loadingText } from '../../texts/of-values/protection-texts.ts';
import { selectActiveTurnId } from '../../state/selectors.ts';
import { useAppSelector } from '../../shell/context/app-context.tsx';
import { StartingLine } from '../../shell/lines/starting-line.tsx';
import { say } from '../../texts/say.ts';

/** Which engine answers, and why, as long as it is not simply a model. */
export function EngineLine({ conversationId }: { readonly conversationId: string | null }) {
  const text = useAppSelector((state) => {
    // A question that waits for the model says so itself, where its reply will be.
    const loading = selectActiveTurnId(state, conversationId) === null ? loadingText(state.enclave) : null;
    return loading ?? engineText(state.enclave);
  });
  const progress = useAppSelector(({ enclave }) =>
    enclave.kind === 'verified' && enclave.status.next !== null ? loadingProgress(enclave.status) : null,
  );
  const startingSinceMs = useAppSelector((state) =>
    state.enclave.kind === 'starting' && selectActiveTurnId(state, conversationId) === null
      ? state.enclave.sinceMs
      : null,
  );
  if (startingSinceMs !== null) {
    return (
      <div className="mb-2.5 px-2">
        <StartingLine sinceMs={startingSinceMs} />
      </div>
    );
  }
  if (text === null) return null;
  return (
    <div className="mb-2.5 grid gap-1.5 px-2 short:mb-1">
      <p className="text-fine text-ink-soft short:truncate">{text}</p>
      {progress !== null && <ProgressBar label={say('composer.download')} value={progress} />}
    </div>
  );
}
