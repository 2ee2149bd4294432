import type { RelayViewRow } from '../../../vault/api/vault-api.ts';
import { HexBytes } from './hex-bytes.tsx';
import { FoldedColumns } from './relay-columns.tsx';

const kindNames: Record<RelayViewRow['kindOfWords'], string> = {
  title: 'Title of the conversation',
  question: 'You wrote',
  answer: 'The assistant wrote',
  settings: 'A setting',
  verification: 'What was verified',
  note: 'How the answer ended',
};

/** Longer answers are cut here: the point is the difference, and the chat has the rest. */
const longestWords = 600;

export function RelayRow({ row }: { readonly row: RelayViewRow }) {
  return (
    <li className="grid overflow-hidden rounded-card border border-line shadow-low md:grid-cols-2">
      <div className="bg-raised p-5 sm:p-6">
        <p className="text-fine text-ink-faint">
          <span className="md:sr-only">What you see: </span>
          {row.words === '' ? 'Nothing to read' : kindNames[row.kindOfWords]}
        </p>
        {row.words === '' ? (
          <p className="mt-3 text-ink-soft">
            How the answer came to you. Its frames were deleted when the answer above was stored in one piece.
          </p>
        ) : (
          <p dir="auto" className="mt-3 font-serif text-lead wrap-anywhere whitespace-pre-wrap">
            {row.words.length > longestWords ? `${row.words.slice(0, longestWords)}…` : row.words}
          </p>
        )}
      </div>
      <div className="bg-machine p-5 text-machine-ink sm:p-6">
        <p className="text-fine text-machine-faint">
          <span className="md:sr-only">What the relay holds: </span>
          {row.what === 'item' ? 'A sealed item' : 'The sealed transcript of an answer'}
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
