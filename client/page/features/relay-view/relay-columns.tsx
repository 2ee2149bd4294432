import { ChevronIcon } from '../../design/display/icons.tsx';
import { columnName, columnValue } from '../../texts/of-values/relay-view-texts.ts';
import { say } from '../../texts/say.ts';
import type { RelayColumn } from '../../../vault/api/vault-api.ts';

/** The columns of the relay's own table. */
export function RelayColumns({ columns }: { readonly columns: readonly RelayColumn[] }) {
  return (
    <dl className="grid grid-cols-[fit-content(45%)_minmax(0,1fr)] gap-x-5 gap-y-1 text-fine">
      {columns.map((column) => (
        <div key={column.name} className="contents">
          <dt className="text-machine-faint">{columnName(column)}</dt>
          <dd className="wrap-anywhere">{columnValue(column)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** These columns say something to everyone; the rest is numbers and ids. */
const tellingNames = /AtMs$|^(?:turnId|frames|state|accountNumber)$/;

/** The telling columns at once, the others behind a word, so that more than one message fits on a screen. */
export function FoldedColumns({ columns }: { readonly columns: readonly RelayColumn[] }) {
  const telling = columns.filter(({ name }) => tellingNames.test(name));
  const others = columns.filter(({ name }) => !tellingNames.test(name));
  return (
    <>
      <RelayColumns columns={telling} />
      {others.length > 0 && (
        <details className="group/columns mt-1">
          <summary className="inline-flex min-h-8 list-none items-center gap-1.5 rounded text-fine text-machine-faint hover:text-machine-ink focus-visible:outline-machine-ink touch:min-h-11 [&::-webkit-details-marker]:hidden">
            <ChevronIcon className="size-3.5 transition-transform group-open/columns:rotate-90" />
            {say('relay-view.more-columns', { count: others.length })}
          </summary>
          <RelayColumns columns={others} />
        </details>
      )}
    </>
  );
}
