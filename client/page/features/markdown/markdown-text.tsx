import { memo, useEffect, useId, useReducer, useState } from 'react';
import type { Block } from './source/blocks/block-reader.ts';
import { fencedCode, type Unit, unitsOf } from './source/blocks/block-units.ts';
import { CodeBlock } from './elements/code-block.tsx';
import { CutTable } from './cut-table.tsx';
import { Footnotes } from './footnotes.tsx';
import { MarkdownPiece } from './markdown-piece.tsx';
import { MountedPieces, whenThereIsRoom } from './guards/mount-queue.ts';
import { PlainText } from './guards/plain-text.tsx';
import {
  keepReferences,
  NoteIdContext,
  noReferences,
  NotesContext,
  readReferences,
  type References,
} from './source/inline/references.ts';
import { RenderGuard } from './guards/render-guard.tsx';
import { emptySplit, splitBlocks, type SplitText } from './source/blocks/split-blocks.ts';

type MarkdownTextProps = { readonly text: string; readonly growing: boolean };

/**
 * A reply's Markdown. Nothing in it becomes active; finished pieces are rendered once; what fails to render is shown as it is.
 */
export function MarkdownText({ text, growing }: MarkdownTextProps) {
  return (
    <RenderGuard text={text} fallback={<PlainText text={text} />}>
      <SplitMarkdown text={text} growing={growing} />
    </RenderGuard>
  );
}

function SplitMarkdown({ text: given, growing }: MarkdownTextProps) {
  const text = given.includes('\r') ? given.replaceAll(/\r\n?/g, '\n') : given;
  const [split, setSplit] = useState<SplitText>(() => splitBlocks(emptySplit, text));
  const now = splitBlocks(split, text);
  if (now !== split) setSplit(now);
  const [references, setReferences] = useState(noReferences);
  const nowReferences = keepReferences(references, readReferences(now.blocks));
  if (nowReferences !== references) setReferences(nowReferences);
  const mounted = useMounted(now.blocks);
  const isWhole = mounted >= now.blocks.length;
  const units = unitsOf(isWhole ? now.blocks : now.blocks.slice(0, mounted));
  // A comment alone is what was said.
  const isHidden = isWhole && !growing && units.length === 0 && nowReferences.notes.size === 0;
  return (
    <NoteIdContext value={useId()}>
      <NotesContext value={nowReferences.notes}>
        <div className="prose" dir="auto">
          <Sections units={units} references={nowReferences} growing={growing} />
          {isHidden && <PlainText text={text} />}
          {isWhole && <Footnotes references={nowReferences} />}
        </div>
      </NotesContext>
    </NoteIdContext>
  );
}

/** How many pieces are rendered by now: as many as this task has room for, the rest in later tasks. */
function useMounted(blocks: readonly Block[]): number {
  const [pieces] = useState(() => new MountedPieces());
  const [asked, askAgain] = useReducer((count: number) => count + 1, 0);
  const count = pieces.advance(blocks.length, (index) => costOf(blocks[index]));
  const isWhole = count === blocks.length;
  // A task that had no room left asks again.
  useEffect(() => (isWhole ? undefined : whenThereIsRoom(askAgain)), [isWhole, count, asked]);
  return count;
}

/**
 * Counts about as parser, React and layout see it. A sign, a line or half an emoji costs as much as a dozen letters. A letter
 * of a script that has to be searched in many fonts costs as much as three. A long piece of those fills a task by itself.
 */
const signCost = 15;
const pieceCost = 250;
const codeBlockCost = 1000;

function costOf(block: Block | undefined): number {
  if (block === undefined) return 0;
  const { kind, source, continues } = block;
  if (kind === 'comment') return 1;
  const farCost = 2 * (source.match(/[\u0590-\ud7ff]/g)?.length ?? 0);
  if (kind === 'code' || kind === 'tex') return source.length / 2 + farCost + (continues ? 0 : codeBlockCost);
  const signs = source.match(/[\n*_~`[<>|&$\\\ud800-\udfff]/g)?.length ?? 0;
  return pieceCost + source.length + farCost + signCost * signs;
}

type SectionProps = { readonly units: readonly Unit[]; readonly references: References; readonly growing: boolean };

const unitsPerSection = 32;

/** Units in groups: a frame looks at the groups and at the units of the last one, however long the reply is. */
function Sections({ units, references, growing }: SectionProps) {
  const count = Math.ceil(units.length / unitsPerSection);
  return Array.from({ length: count }, (_, index) => {
    const end = (index + 1) * unitsPerSection;
    return (
      <Section
        key={`section-${index}`}
        units={units.slice(end - unitsPerSection, end)}
        references={references}
        growing={growing && end >= units.length}
      />
    );
  });
}

const Section = memo(
  function Section({ units, references, growing }: SectionProps) {
    return units.map((unit, index) => (
      <UnitView
        key={`unit-${index}`}
        unit={unit}
        references={references}
        growing={growing && index === units.length - 1}
      />
    ));
  },
  (before, now) =>
    before.references === now.references &&
    before.growing === now.growing &&
    before.units.length === now.units.length &&
    isSameUnit(before.units[0], now.units[0]) &&
    isSameUnit(before.units.at(-1), now.units.at(-1)),
);

/** Pieces keep their identity once they are finished, in their order: where the ends are the same, all between is. */
function isSameUnit(before: Unit | undefined, now: Unit | undefined): boolean {
  if (before === undefined || now === undefined || before.kind !== now.kind) return false;
  if (before.kind === 'piece') return now.kind === 'piece' && before.block === now.block;
  if (before.kind === 'details') {
    return (
      now.kind === 'details' &&
      before.units.length === now.units.length &&
      (before.units.length === 0 || isSameUnit(before.units.at(-1), now.units.at(-1)))
    );
  }
  return (
    now.kind === before.kind && before.blocks.length === now.blocks.length && before.blocks.at(-1) === now.blocks.at(-1)
  );
}

type UnitViewProps = { readonly unit: Unit; readonly references: References; readonly growing: boolean };

function UnitView({ unit, references, growing }: UnitViewProps) {
  switch (unit.kind) {
    case 'piece':
      return <MarkdownPiece block={unit.block} references={references} />;
    case 'code': {
      const { isClosed, ...code } = fencedCode(unit.blocks);
      return (
        <GuardedBlock blocks={unit.blocks}>
          <CodeBlock {...code} isClosed={isClosed || !growing} />
        </GuardedBlock>
      );
    }
    case 'table':
      return (
        <GuardedBlock blocks={unit.blocks}>
          <CutTable blocks={unit.blocks} />
        </GuardedBlock>
      );
    case 'details':
      return (
        <details className="prose-block rounded-control border border-line px-4 py-2">
          <summary dir="auto" className="font-semibold">
            {unit.summary}
          </summary>
          <Sections units={unit.units} references={references} growing={growing} />
        </details>
      );
  }
}

type GuardedBlockProps = { readonly blocks: readonly Block[]; readonly children: React.ReactNode };

function GuardedBlock({ blocks, children }: GuardedBlockProps) {
  const text = `${blocks.length} ${blocks.at(-1)?.source ?? ''}`;
  const plain = blocks.map((block, index) => <PlainText key={`piece-${index}`} text={block.source} />);
  return (
    <div className="prose-block">
      <RenderGuard text={text} fallback={plain}>
        {children}
      </RenderGuard>
    </div>
  );
}
