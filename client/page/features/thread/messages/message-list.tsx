import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useLayoutEffect, useState } from 'react';
import { Button } from '../../../design/buttons/button.tsx';
import { ArrowDownIcon } from '../../../design/display/icons.tsx';
import { MessageRow } from './message-row.tsx';
import { usePrinting } from './use-printing.ts';
import { useFollow } from './use-follow.ts';
import { useMessageKeys } from './use-message-keys.ts';
import { say } from '../../../texts/say.ts';

type MessageListProps = {
  readonly conversationId: string;
  readonly order: readonly string[];
  /** The question that was just sent from here: it goes to the top of the view, its reply grows below. */
  readonly sentQuestionId: string | null;
};

const estimatedRowPx = 220;
const paddingTopPx = 20;
const paddingBottomPx = 16;

export function MessageList({ conversationId, order, sentQuestionId }: MessageListProps) {
  const [viewHeight, setViewHeight] = useState(0);
  const isPrinting = usePrinting();
  const follow = useFollow();
  const { container, keepUp, resume } = follow;
  const { focused, onFocus, onBlur, onKeyDown } = useMessageKeys(container, order);
  const focusedIndex = focused === null ? -1 : order.indexOf(focused);

  // Its functions are never handed to a memoised child; only positions are.
  // oxlint-disable-next-line react/incompatible-library
  const virtualizer = useVirtualizer({
    count: order.length,
    getScrollElement: () => container.current,
    estimateSize: () => estimatedRowPx,
    getItemKey: (index) => order[index] ?? index,
    overscan: 5,
    paddingStart: paddingTopPx,
    paddingEnd: paddingBottomPx,
    // Opens at the end: the rows there are the first to be rendered.
    initialOffset: () => order.length * estimatedRowPx,
    rangeExtractor: (range) => {
      const indexes = defaultRangeExtractor(range);
      // A row that has the focus stays, or the focus would fall to the page.
      return focusedIndex < 0 || indexes.includes(focusedIndex)
        ? indexes
        : [...indexes, focusedIndex].toSorted((a, b) => a - b);
    },
  });

  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setViewHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, [container]);

  const total = virtualizer.getTotalSize();
  const height = total + roomBelow();
  useLayoutEffect(keepUp, [keepUp, height, viewHeight]);
  useLayoutEffect(() => {
    if (sentQuestionId !== null) resume();
  }, [resume, sentQuestionId]);

  /** The room that the sent question needs below it to stand at the top of the view. */
  function roomBelow(): number {
    const index = sentQuestionId === null ? -1 : order.indexOf(sentQuestionId);
    const start = virtualizer.measurementsCache[index]?.start;
    return start === undefined ? 0 : Math.max(0, viewHeight - paddingTopPx - (total - start));
  }

  const measure = useCallback((element: HTMLDivElement | null) => virtualizer.measureElement(element), [virtualizer]);
  const lastId = order.at(-1);
  const rows = isPrinting ? order.map((id, index) => ({ key: id, index, start: 0 })) : virtualizer.getVirtualItems();
  return (
    <div className="relative min-h-24 flex-1 shrink-0 print:min-h-0 print:flex-none">
      {/* The scroll box needs the focus of a keyboard only when no message has it; its keys walk from message to message. */}
      {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions, jsx-a11y/no-noninteractive-element-interactions */}
      <div
        ref={container}
        role="log"
        aria-live="off"
        aria-label={say('thread.name')}
        onFocus={onFocus}
        onBlur={onBlur}
        onKeyDown={onKeyDown}
        className="absolute inset-0 overflow-x-hidden overflow-y-auto overscroll-contain short:overscroll-auto [overflow-anchor:none] [scrollbar-gutter:stable] print:static print:overflow-visible"
      >
        <div className="relative w-full" style={isPrinting ? undefined : { height }}>
          {rows.map((item) => {
            const messageId = order[item.index];
            if (messageId === undefined) return null;
            return (
              <MessageRow
                key={item.key}
                conversationId={conversationId}
                messageId={messageId}
                index={item.index}
                count={order.length}
                start={isPrinting ? null : item.start}
                isTabStop={messageId === (focusedIndex < 0 ? lastId : focused)}
                measure={measure}
              />
            );
          })}
        </div>
      </div>
      {/* Words fade out where they leave the view: none is cut at the header, none touches the message box. */}
      <div
        aria-hidden
        className="pointer-events-none absolute inset-x-0 top-0 print:hidden mr-4 h-4 bg-linear-to-b from-paper short:h-2"
      />
      <div
        aria-hidden
        className="pointer-events-none absolute inset-x-0 bottom-0 print:hidden mr-4 h-4 bg-linear-to-t from-paper short:h-2"
      />
      {!follow.atEnd && (
        <Button
          onClick={resume}
          className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full bg-raised text-small whitespace-nowrap shadow-high short:right-4 short:bottom-1 short:left-auto short:min-h-8 short:translate-x-0 short:px-3 short:py-0"
        >
          <ArrowDownIcon />
          {say('thread.latest')}
        </Button>
      )}
    </div>
  );
}
