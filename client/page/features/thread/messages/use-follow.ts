import { useCallback, useEffect, useRef, useState, type RefObject } from 'react';

/** Nearer than this counts as the end; zoomed pages have fractions of pixels. */
const atEndPx = 4;
const scrollKeys: ReadonlySet<string> = new Set(['PageUp', 'PageDown', 'Home', 'End', 'ArrowUp', 'ArrowDown', ' ']);

export type Follow = {
  /** For the element that scrolls. */
  readonly container: RefObject<HTMLDivElement | null>;
  /** The end of the list is in view, or nearly. */
  readonly atEnd: boolean;
  /** Follow again from now on, and go to the end. */
  readonly resume: () => void;
  /** Call when the list grew: keeps the end in view if the reader did not leave it. */
  readonly keepUp: () => void;
};

type Sizes = { readonly top: number; readonly height: number; readonly view: number };

function sizes({ scrollTop, scrollHeight, clientHeight }: HTMLElement): Sizes {
  return { top: scrollTop, height: scrollHeight, view: clientHeight };
}

/**
 * Only a hand moves a list up that did not get shorter, in a view that stayed. Not every hand tells a pointer. A scrollbar that
 * lies over the words does not (Safari), nor does a search of the browser. One that is held tells it only once (Firefox).
 */
function isMovedUp(before: Sizes, now: Sizes): boolean {
  return now.top < before.top && now.height >= before.height && now.view === before.view;
}

/**
 * Follows a growing reply with the view. Only the reader's own hand stops it: wheel, touch, key, scrollbar, selecting text.
 * Only reaching the end or the button starts it again; a change of layout does neither.
 */
export function useFollow(): Follow {
  const container = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [atEnd, setAtEnd] = useState(true);

  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    let handUntilMs = 0;
    let seen = sizes(element);
    const distance = () => element.scrollHeight - element.clientHeight - element.scrollTop;
    const byHand = () => {
      handUntilMs = performance.now() + 1000;
      following.current = false;
    };
    const onWheel = (event: WheelEvent) => {
      if (event.deltaY < 0 || distance() > atEndPx) byHand();
    };
    const onKey = (event: KeyboardEvent) => {
      if (scrollKeys.has(event.key)) byHand();
    };
    const onPointer = (event: PointerEvent) => {
      // Right of the contents: the scrollbar.
      if (event.target === element && event.offsetX >= element.clientWidth) byHand();
    };
    const onSelect = () => {
      const selection = document.getSelection();
      if (selection !== null && !selection.isCollapsed && element.contains(selection.anchorNode)) byHand();
    };
    const onScroll = () => {
      const near = distance() <= atEndPx;
      const now = sizes(element);
      if (!near && isMovedUp(seen, now)) byHand();
      seen = now;
      // Reaching the end by one's own hand takes the following up again; momentum counts as the hand.
      if (near && performance.now() < handUntilMs) following.current = true;
      if (!following.current && !near) handUntilMs = Math.max(handUntilMs, performance.now() + 200);
      setAtEnd(near || following.current);
    };
    element.addEventListener('wheel', onWheel, { passive: true });
    element.addEventListener('touchmove', byHand, { passive: true });
    element.addEventListener('keydown', onKey);
    element.addEventListener('pointerdown', onPointer);
    element.addEventListener('scroll', onScroll, { passive: true });
    document.addEventListener('selectionchange', onSelect);
    return () => {
      element.removeEventListener('wheel', onWheel);
      element.removeEventListener('touchmove', byHand);
      element.removeEventListener('keydown', onKey);
      element.removeEventListener('pointerdown', onPointer);
      element.removeEventListener('scroll', onScroll);
      document.removeEventListener('selectionchange', onSelect);
    };
  }, []);

  const keepUp = useCallback(() => {
    const element = container.current;
    if (element !== null && following.current) element.scrollTo({ top: element.scrollHeight, behavior: 'instant' });
  }, []);

  const resume = useCallback(() => {
    following.current = true;
    setAtEnd(true);
    keepUp();
  }, [keepUp]);

  return { container, atEnd, resume, keepUp };
}
