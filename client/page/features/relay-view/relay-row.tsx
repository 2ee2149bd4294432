import type { RelayViewRow } from '../../../vault/api/vault-api.ts';
import { HexBytes } from './hex-bytes.tsx';
import { FoldedColumns } from './relay-columns.tsx';
import { rowWords } from '../../texts/of-values/relay-view-texts.ts';
import { say } from '../../texts/say.ts';

/** Longer answers are cut here: the point is the difference, and the chat has the rest. */
const longestWords = 600;

export function RelayRow({ row }: { readonly row: RelayViewRow }) {
  const words = rowWords(row);
  return (
    <li className="grid overflow-hidden rounded-card border border-line shadow-low md:grid-cols-2">
      <div className="bg-raised p-5 sm:p-6">
        <p className="text-fine text-ink-faint">
          <span className="md:sr-only">{say('relay-view.you-see-before')}</span>
          {words === '' ? say('relay-view.nothing-to-read') : say(`relay-view.${row.kindOfWords}`)}
        </p>
        {words === '' ? (
          <p className="mt-3 text-ink-soft">{say('relay-view.compacted')}</p>
        ) : (
          <p dir="auto" className="mt-3 font-serif text-lead wrap-anywhere whitespace-pre-wrap">
            {words.length > longestWords ? `${words.slice(0, longestWords)}…` : words}
          </p>
        )}
      </div>
      <div className="bg-machine p-5 text-machine-ink sm:p-6">
        <p className="text-fine text-machine-faint">
          <span className="md:sr-only">{say('relay-view.relay-holds-before')}</span>
          {say(`relay-view.sealed-${row.what}`)}
        </p>
        {row.length > 0 && (
          <div className="mt-2 mb-4 border-b border-machine-line pb-3">
            <HexBytes id={row.id} firstBytesHex={row.firstBytesHex} length={row.length} />
          </div>
        )}
        <FoldedColumns columns={row.columns} />
      </div>
    </li>
  );
}
