import { type MouseEvent, use } from 'react';
import { NoteIdContext, NotesContext } from '../source/inline/references.ts';
import { say } from '../../../texts/say.ts';

/** A number that leads to its note. */
export function NoteReference({ name }: { readonly name: string }) {
  const prefix = use(NoteIdContext);
  const note = use(NotesContext).get(name.toLowerCase());
  if (note === undefined) return <sup>[{name}]</sup>;
  return (
    <sup id={`${prefix}-from-${note.number}`}>
      <a
        href={`#${prefix}-note-${note.number}`}
        aria-label={say('markdown.note', { number: note.number })}
        className="text-link"
        onClick={goTo}
      >
        {note.number}
      </a>
    </sup>
  );
}

/** Inside the page, past the router: a reply's notes are no page of their own. */
export function goTo(event: MouseEvent<HTMLAnchorElement>): void {
  event.preventDefault();
  const target = document.getElementById(event.currentTarget.hash.slice(1));
  target?.scrollIntoView({ block: 'nearest' });
  target?.focus({ preventScroll: true });
}
