import { useEffect, useRef, useState } from 'react';

/** The clock of the sealed frames (SPEC.md §8.2: 254 bytes each 100 ms). */
const tickMs = 100;
/** Words appear at most twenty times a second: each time the last piece is read and laid out anew. */
const stepMs = 50;

/**
 * The text to show now. The words of a frame appear evenly over the next tick, so that ten frames a second read like a steady
 * hand. With reduced motion, or when nothing is growing, they appear at once.
 */
export function useRevealedText(
  text: string,
  growing: boolean,
): { readonly shown: string; readonly revealing: boolean } {
  const [length, setLength] = useState(text.length);
  const shownLength = useRef(text.length);
  const shownAtMs = useRef(0);
  // Only what was seen growing is revealed; an older reply stands there at once.
  const [reveals, setReveals] = useState(growing);
  if (growing && !reveals) setReveals(true);
  const instant = !reveals || prefersReducedMotion();

  useEffect(() => {
    const from = Math.min(shownLength.current, text.length);
    const show = (next: number) => {
      shownLength.current = next;
      setLength(next);
    };
    if (instant || document.hidden || from === text.length) {
      show(text.length);
      return;
    }
    const startedAtMs = performance.now();
    let frame = requestAnimationFrame(function step(nowMs) {
      const part = Math.min(1, Math.max(0, (nowMs - startedAtMs) / tickMs));
      if (nowMs - shownAtMs.current >= stepMs) {
        shownAtMs.current = nowMs;
        show(wholeCharacter(text, from + Math.ceil((text.length - from) * part)));
      }
      if (shownLength.current < text.length) frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [text, instant]);

  const end = instant ? text.length : Math.min(length, text.length);
  return { shown: text.slice(0, end), revealing: end < text.length };
}

/** Never half of a surrogate pair. */
function wholeCharacter(text: string, end: number): number {
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xd800 && unit <= 0xdbff && end < text.length ? end + 1 : end;
}

function prefersReducedMotion(): boolean {
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches;
}
