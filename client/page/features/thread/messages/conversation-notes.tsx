import { ShieldAlertIcon } from '../../../design/display/icons.tsx';
import { noteText } from '../../../texts/of-values/protection-texts.ts';
import type { ConversationNote } from '../../../../vault/api/vault-api.ts';

/** Shows what happened between two messages, as lines that belong to neither. */
export function ConversationNotes({ notes }: { readonly notes: readonly ConversationNote[] }) {
  if (notes.length === 0) return null;
  return (
    <div className="mb-6 grid gap-2">
      {notes.map((note) => (
        <p
          key={note.kind}
          role="note"
          className="flex items-start gap-2.5 border-y border-line py-2.5 text-small text-ink-soft"
        >
          <ShieldAlertIcon className="mt-0.5 shrink-0" />
          <span className="min-w-0 wrap-anywhere">{noteText(note)}</span>
        </p>
      ))}
    </div>
  );
}
