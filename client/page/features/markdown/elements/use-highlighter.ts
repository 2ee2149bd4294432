import type { Element, ElementContent, Root } from 'hast';
import { createElement, type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import { whenThereIsRoom } from '../guards/mount-queue.ts';

type Highlight = (language: string, code: string) => Root | null;

let loaded: Highlight | null = null;
let loading: Promise<void> | null = null;
const listeners = new Set<() => void>();

/** Rules of some languages take long over long lines; more code than this stands plain. */
const longestCode = 12_000;
const longestLine = 500;

/**
 * Fetches the highlighter once the chat is shown, whatever stands in the chat: a request that came only with code would tell the
 * relay that there is code.
 */
export function loadHighlighter(): Promise<void> {
  loading ??= import('lowlight').then(
    ({ common, createLowlight }) => {
      const lowlight = createLowlight(common);
      loaded = (language, code) => (lowlight.registered(language) ? lowlight.highlight(language, code) : null);
      for (const listener of listeners) listener();
    },
    () => {
      // Code stands plain; the next chat that is opened asks for it again.
      loading = null;
    },
  );
  return loading;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

type Highlighted = { readonly code: string; readonly nodes: ReactNode };

/** The code in colours: in a task of its own after its block closed; null until then, and for what is too long. */
export function useHighlighted(
  language: string | null,
  chunks: readonly string[],
  isClosed: boolean,
): ReactNode | null {
  const highlight = useSyncExternalStore(subscribe, () => loaded);
  const [done, setDone] = useState<Highlighted | null>(null);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const code = isClosed && language !== null && length <= longestCode ? chunks.join('') : '';
  const isWanted = code !== '' && code.split('\n').every((line) => line.length <= longestLine);

  useEffect(() => {
    if (!isWanted || highlight === null || language === null) return;
    return whenThereIsRoom(() => {
      const root = tryHighlight(highlight, language, code);
      if (root !== null) setDone({ code, nodes: root.children.map(toReact) });
    });
  }, [highlight, isWanted, language, code]);

  return isWanted && done?.code === code ? done.nodes : null;
}

function tryHighlight(highlight: Highlight, language: string, code: string): Root | null {
  try {
    return highlight(language.toLowerCase(), code);
  } catch {
    // A rule of this language failed: the code stands plain.
    return null;
  }
}

function toReact(node: ElementContent | Root['children'][number], index: number): ReactNode {
  if (node.type === 'text') return node.value;
  return node.type === 'element' ? createElement('span', propsOf(node, index), ...node.children.map(toReact)) : null;
}

function propsOf({ properties }: Element, index: number): { readonly key: number; readonly className: string } {
  const classes = properties['className'];
  return { key: index, className: Array.isArray(classes) ? classes.join(' ') : '' };
}
