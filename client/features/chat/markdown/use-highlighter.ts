import { useSyncExternalStore } from 'react';
import type { Options } from 'react-markdown';

type RehypePlugins = NonNullable<Options['rehypePlugins']>;

let loaded: RehypePlugins | null = null;
let loading: Promise<void> | null = null;
const listeners = new Set<() => void>();

/**
 * Fetches the highlighter once the chat is shown, whatever stands in the chat: a request that came only with code would tell the
 * relay that there is code.
 */
export function loadHighlighter(): Promise<void> {
  loading ??= import('rehype-highlight').then(({ default: rehypeHighlight }) => {
    loaded = [[rehypeHighlight, { detect: false }]];
    for (const listener of listeners) listener();
  });
  return loading;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Null until it is here; code stands plain until then. */
export function useHighlighter(): RehypePlugins | null {
  return useSyncExternalStore(subscribe, () => loaded);
}
