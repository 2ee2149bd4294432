import { use } from 'react';
import type { Block } from './source/blocks/block-reader.ts';
import { emptySplit, splitBlocks } from './source/blocks/split-blocks.ts';
import { MarkdownPiece } from './markdown-piece.tsx';
import { goTo } from './elements/note-reference.tsx';
import { NoteIdContext, noReferences, type References } from './source/inline/references.ts';
import { say } from '../../texts/say.ts';

export function Footnotes({ references }: { readonly references: References }) {
  const prefix = use(NoteIdContext);
  if (references.notes.size === 0) return null;
  return (
    <section aria-label={say('markdown.notes')} className="prose-block border-t border-line pt-3 text-small">
      <ol>
        {[...references.notes.values()].map((note) => (
          <li key={note.key} id={`${prefix}-note-${note.number}`} tabIndex={-1}>
            {blocksOf(note.source).map((block, index) => (
              // Pieces of one note never change their order.
              // oxlint-disable-next-line react/no-array-index-key
              <MarkdownPiece
                key={index}
                block={block}
                references={{ ...noReferences, definitions: references.definitions }}
              />
            ))}
            <a
              href={`#${prefix}-from-${note.number}`}
              aria-label={say('markdown.back')}
              className="text-link"
              onClick={goTo}
            >
              ↩
            </a>
          </li>
        ))}
      </ol>
    </section>
  );
}

function blocksOf(source: string): readonly Block[] {
  return splitBlocks(emptySplit, source).blocks;
}
