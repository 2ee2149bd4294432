import { Button } from '../../design/buttons/button.tsx';
import { EyeIcon, RetryIcon } from '../../design/display/icons.tsx';
import { engineName, engineText, kindName, protectionSentence } from '../../texts/of-values/protection-texts.ts';
import { refusalText } from '../../texts/of-values/refusal-texts.ts';
import type { EnclaveView } from '../../../vault/api/vault-api.ts';
import { useAppSelector, useVault } from '../../shell/context/app-context.tsx';
import { Checklist } from '../verification/checklist.tsx';
import { FactList, measuredFacts } from '../verification/enclave-facts.tsx';
import { writeTime } from '../../texts/of-values/time-texts.ts';
import { MinimumChoice } from '../minimum/minimum-choice.tsx';
import { RefusedActions } from './refused-actions.tsx';
import { say } from '../../texts/say.ts';

type ShieldDetailsProps = {
  readonly conversationId: string | null;
  readonly onRelayView: () => void;
  readonly onDocument: () => void;
};

export function ShieldDetails({ conversationId, onRelayView, onDocument }: ShieldDetailsProps) {
  const vault = useVault();
  const view = useAppSelector((state) => state.enclave);
  return (
    <div className="grid grid-cols-1 gap-7">
      <div className="grid gap-3">
        <p className="font-serif text-lead font-medium">{protectionSentence(view)}</p>
        {view.kind === 'refused' && (
          <>
            <p className="text-ink-soft">{refusalText(view).advice}</p>
            <RefusedActions conversationId={conversationId} view={view} />
          </>
        )}
        {view.kind === 'unreachable' && (
          <Button
            onClick={() => void vault.call((api) => api.openConversation({ conversationId }))}
            className="justify-self-start"
          >
            <RetryIcon />
            {say('button.ask-again')}
          </Button>
        )}
        {view.kind === 'starting' && <p className="text-ink-soft">{say('shield.starting')}</p>}
      </div>
      <RelayInvitation hasConversation={conversationId !== null} onRelayView={onRelayView} />
      <MinimumChoice conversationId={conversationId} />
      {(view.kind === 'verified' || view.kind === 'refused') && (
        <div className="grid gap-4">
          <Checklist title={say('shield.checked')} steps={view.steps} />
          <Button onClick={onDocument} className="justify-self-start">
            {say('document.heading')}
          </Button>
        </div>
      )}
      {view.kind === 'verified' && <EnclaveFacts view={view} />}
    </div>
  );
}

type RelayInvitationProps = { readonly hasConversation: boolean; readonly onRelayView: () => void };

function RelayInvitation({ hasConversation, onRelayView }: RelayInvitationProps) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-4 rounded-card bg-machine p-5 text-machine-ink">
      <p className="min-w-[min(12rem,100%)] flex-1 text-small">
        {hasConversation ? say('shield.relay-question') : say('shield.relay-question-later')}
      </p>
      <Button look="primary" disabled={!hasConversation} onClick={onRelayView}>
        <EyeIcon />
        {say('relay-view.heading')}
      </Button>
    </div>
  );
}

function EnclaveFacts({ view }: { readonly view: Extract<EnclaveView, { kind: 'verified' }> }) {
  return (
    <FactList
      title={say('shield.who-answers')}
      facts={[
        [say('fact.model'), view.model],
        [say('fact.engine'), engineText(view) ?? engineName(view.engine)],
        [
          say('fact.evidence'),
          say('fact.evidence-kind', { name: kindName(view.evidenceKind), kind: view.evidenceKind }),
        ],
        ...measuredFacts(view),
        [say('fact.key'), view.keyFingerprint, 'code'],
        [say('fact.identity'), view.identityFingerprint, 'code'],
        view.hasAlternate ? [say('fact.stand-in'), say('fact.stand-in-text')] : null,
        [say('fact.checked'), writeTime(view.verifiedAtMs, 'moment')],
      ]}
    />
  );
}
