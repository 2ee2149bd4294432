import { ShieldAlertIcon, ShieldIcon } from '../../design/display/icons.tsx';
import { Spinner } from '../../design/display/spinner.tsx';
import { protectionSentence } from '../../texts/of-values/protection-texts.ts';
import type { EnclaveView } from '../../../vault/api/vault-api.ts';
import { useAppSelector } from '../../shell/context/app-context.tsx';
import { say } from '../../texts/say.ts';

type ShieldButtonProps = { readonly onPress: () => void };

/** Says in one sentence what protects this conversation, always beside the message box. */
export function ShieldButton({ onPress }: ShieldButtonProps) {
  const view = useAppSelector((state) => state.enclave);
  const sentence = protectionSentence(view);
  return (
    <button
      type="button"
      onClick={onPress}
      aria-label={say('protection.button', { sentence })}
      title={sentence}
      aria-haspopup="dialog"
      className={`flex min-h-11 min-w-0 items-center gap-2 rounded-full px-3 py-1.5 text-left text-fine leading-snug transition-colors ${toneOf(view)}`}
    >
      {view.kind === 'connecting' || view.kind === 'idle' || view.kind === 'starting' ? (
        <Spinner />
      ) : view.kind === 'verified' && view.evidenceKind !== 'development' ? (
        <ShieldIcon />
      ) : (
        <ShieldAlertIcon />
      )}
      {/* The failure stands above the box, with what one can do. */}
      <span className="min-w-0 short:sr-only">
        {view.kind === 'refused' ? say('protection.nothing-sent') : sentence}
      </span>
    </button>
  );
}

function toneOf(view: EnclaveView): string {
  switch (view.kind) {
    case 'idle':
    case 'connecting':
    case 'starting':
      return 'text-ink-soft hover:bg-sunken';
    case 'unreachable':
      return 'text-caution hover:bg-caution-soft';
    case 'refused':
      return 'bg-danger-soft text-danger';
    case 'verified':
      return view.evidenceKind === 'development'
        ? 'text-caution hover:bg-caution-soft'
        : 'text-accent hover:bg-accent-soft';
  }
}
