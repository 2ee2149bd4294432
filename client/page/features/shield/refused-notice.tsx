import { AlertIcon } from '../../design/display/icons.tsx';
import { refusalText } from '../../texts/of-values/refusal-texts.ts';
import { useAppSelector } from '../../shell/context/app-context.tsx';
import { RefusedActions } from './refused-actions.tsx';
import { say } from '../../texts/say.ts';

type RefusedNoticeProps = {
  readonly conversationId: string | null;
  /** Somebody pressed Send meanwhile. */
  readonly attempted: boolean;
  readonly onShowChecks: () => void;
};

/** Above the message box for as long as nothing can be sent: what failed, and what one can do. */
export function RefusedNotice({ conversationId, attempted, onShowChecks }: RefusedNoticeProps) {
  const view = useAppSelector((state) => state.enclave);
  if (view.kind !== 'refused') return null;
  const { what, advice } = refusalText(view);
  return (
    <div className="mb-3 grid max-h-[62dvh] gap-3 overflow-y-auto rounded-control bg-danger-soft px-4 py-3 text-small text-danger">
      <div className="flex items-start gap-3">
        <AlertIcon className="mt-0.5 shrink-0" />
        <div className="grid min-w-0 gap-1">
          <p>
            <strong>{say('protection.refused', { what })}</strong> {advice}
          </p>
          <p role="alert">{attempted && say('refused.attempted')}</p>
        </div>
      </div>
      <RefusedActions conversationId={conversationId} view={view} onShowChecks={onShowChecks} />
    </div>
  );
}
