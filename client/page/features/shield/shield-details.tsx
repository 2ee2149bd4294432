import { Button } from '../../design/button.tsx';
import { EyeIcon, RetryIcon } from '../../design/icons.tsx';
import { engineName, engineText, kindName, protectionSentence } from '../../texts/protection-texts.ts';
import { refusalText } from '../../texts/refusal-texts.ts';
import type { EnclaveView } from '../../../vault/api/vault-api.ts';
import { useAppSelector, useVault } from '../../shell/app-context.tsx';
import { Checklist } from './checklist.tsx';
import { FactList, measuredFacts, momentOf } from './enclave-facts.tsx';
import { MinimumChoice } from './minimum-choice.tsx';
import { RefusedActions } from './refused-actions.tsx';

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
            Ask again
          </Button>
        )}
        {view.kind === 'starting' && (
          <p className="text-ink-soft">
            A machine with a large model takes some minutes to come up. You can write meanwhile; what you send waits
            here and goes when the enclave has proved what it is.
          </p>
        )}
      </div>
      <RelayInvitation hasConversation={conversationId !== null} onRelayView={onRelayView} />
      <MinimumChoice conversationId={conversationId} />
      {(view.kind === 'verified' || view.kind === 'refused') && (
        <div className="grid gap-4">
          <Checklist title="What your browser checked" steps={view.steps} />
          <Button onClick={onDocument} className="justify-self-start">
            Verification document
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
        {hasConversation
          ? 'And the relay in between? Look at the very bytes that it holds for this conversation.'
          : 'And the relay in between? Once you have sent a first message, you can look at the very bytes that it holds.'}
      </p>
      <Button look="primary" disabled={!hasConversation} onClick={onRelayView}>
        <EyeIcon />
        What the relay sees
      </Button>
    </div>
  );
}

function EnclaveFacts({ view }: { readonly view: Extract<EnclaveView, { kind: 'verified' }> }) {
  return (
    <FactList
      title="Who answers"
      facts={[
        ['Model', view.model],
        ['Engine', engineText(view) ?? engineName(view.engine)],
        ['Evidence', `${kindName(view.evidenceKind)} (${view.evidenceKind})`],
        ...measuredFacts(view),
        ['Key that your words are sealed to', view.keyFingerprint, 'code'],
        ['Identity of the enclave', view.identityFingerprint, 'code'],
        view.hasAlternate ? ['Stand-in', 'A second enclave that proved the same; words are sealed to both.'] : null,
        ['Checked', momentOf(view.verifiedAtMs)],
      ]}
    />
  );
}
