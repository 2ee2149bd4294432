import { useState } from 'react';
import { flushSync } from 'react-dom';

/** With `dir="auto"` Chromium looks at the whole text for each line that a paste brings: 15,000 lines hold the page for seconds. */
const mostForBrowser = 10_000;

const firstLetter = /\p{L}/u;
const fromRight = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

type TextDirection = {
  readonly dir: 'auto' | 'ltr' | 'rtl';
  /** Call before a text comes into the field, and with nothing once it is there. */
  readonly expect: (text?: string) => void;
};

/** The direction of a field: each paragraph's own, and of a long text that of its first letter. */
export function useTextDirection(text: string): TextDirection {
  const [coming, setComing] = useState('');
  return {
    dir: directionOf(coming.length > mostForBrowser ? coming : text),
    // The browser puts the text in as soon as its event is over.
    expect: (next = '') => (next === coming ? undefined : flushSync(() => setComing(next))),
  };
}

function directionOf(text: string): TextDirection['dir'] {
  if (text.length <= mostForBrowser) return 'auto';
  const letter = firstLetter.exec(text)?.[0] ?? '';
  return fromRight.test(letter) ? 'rtl' : 'ltr';
}
