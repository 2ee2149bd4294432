import { useCallback } from 'react';
import { Notice } from '../../design/display/notice.tsx';
import { Status } from '../../design/display/status.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import type { VaultApi } from '../../../vault/api/vault-api.ts';
import { useAppSelector } from '../../shell/context/app-context.tsx';
import { useVaultRead } from '../../shell/context/use-vault-read.ts';
import { RelayColumns } from './relay-columns.tsx';
import { RelayRow } from './relay-row.tsx';
import { say } from '../../texts/say.ts';

/** The two sides of the same conversation: words here, bytes there. */
export function RelayViewPanel({ conversationId }: { readonly conversationId: string }) {
  // Changes with each message that joins, is stored or ends: then the relay holds something else.
  const version = useAppSelector(({ messages }) => {
    const loaded = messages[conversationId];
    return loaded?.order.map((id) => stateOf(loaded.byId[id])).join(' ') ?? '';
  });
  const read = useCallback((api: VaultApi) => api.relayView({ conversationId }), [conversationId]);
  const { value: view, failure } = useVaultRead(read, version);

  return (
    <section aria-label={say('relay-view.heading')}>
      <p className="max-w-3xl text-ink-soft">{say('relay-view.lead')}</p>
      {failure !== null && (
        <Notice tone="danger" urgent className="mt-6">
          {failureText(failure)}
        </Notice>
      )}
      {view === undefined && failure === null && (
        <div className="mt-6">
          <Status working>{say('relay-view.asking')}</Status>
        </div>
      )}
      {view !== undefined && (
        <>
          <div
            aria-hidden="true"
            className="sticky -top-1 z-1 mt-6 hidden grid-cols-2 bg-surface py-3 font-serif text-title font-medium md:grid"
          >
            <p className="px-6">{say('relay-view.you-see')}</p>
            <p className="px-6">{say('relay-view.relay-holds')}</p>
          </div>
          <ol className="mt-5 grid gap-4 md:mt-0">
            {view.rows.map((row) => (
              <RelayRow key={`${row.what} ${row.id}`} row={row} />
            ))}
          </ol>
          {view.rows.length === 0 && <p className="mt-4">{say('relay-view.nothing')}</p>}
          <h3 className="mt-10 font-serif text-title font-medium">{say('relay-view.account')}</h3>
          <div className="mt-3 rounded-card bg-machine p-5 text-machine-ink">
            <RelayColumns columns={view.account} />
          </div>
          <p className="mt-6 max-w-3xl text-small text-ink-soft">{say('relay-view.besides')}</p>
        </>
      )}
    </section>
  );
}

type Known = { readonly role: string; readonly stored?: boolean; readonly state?: { readonly kind: string } };

function stateOf(message: Known | undefined): string {
  return message?.state?.kind ?? String(message?.stored);
}
