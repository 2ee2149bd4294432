import { useCallback, useEffect, useRef, useState } from 'react';
import { useVault } from '../shell/app-context.tsx';

const savedAfterMs = 400;

export type Draft = {
  readonly text: string;
  readonly setText: (text: string) => void;
  /** Empties the box and the stored draft: the text was sent. */
  readonly clear: () => void;
};

/** Unsent words of one conversation: kept by the vault, sealed, shortly after each change; back after a reload. */
export function useDraft(conversationId: string | null): Draft {
  const vault = useVault();
  const [text, setShown] = useState('');
  const owner = useRef<string | null | undefined>(undefined);
  const unsaved = useRef<{ readonly conversationId: string | null; readonly text: string } | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const save = useCallback(() => {
    clearTimeout(timer.current);
    const draft = unsaved.current;
    unsaved.current = null;
    if (draft !== null) void vault.call((api) => api.writeDraft(draft));
  }, [vault]);

  useEffect(() => {
    if (owner.current === conversationId) return;
    save();
    owner.current = conversationId;
    setShown('');
    void vault
      .call((api) => api.readDraft({ conversationId }))
      .then((result) => {
        if (!result.ok || result.value === '' || owner.current !== conversationId) return;
        // Faster fingers than the vault: what was typed meanwhile comes after what was there.
        setShown((typed) => result.value + typed);
      });
  }, [conversationId, save, vault]);

  useEffect(() => {
    const onHide = () => {
      if (document.visibilityState === 'hidden') save();
    };
    document.addEventListener('visibilitychange', onHide);
    window.addEventListener('pagehide', save);
    return () => {
      document.removeEventListener('visibilitychange', onHide);
      window.removeEventListener('pagehide', save);
      save();
    };
  }, [save]);

  const keep = useCallback(
    (next: string) => {
      unsaved.current = { conversationId: owner.current ?? null, text: next };
      clearTimeout(timer.current);
      timer.current = setTimeout(save, savedAfterMs);
    },
    [save],
  );

  const setText = useCallback(
    (next: string) => {
      setShown(next);
      keep(next);
    },
    [keep],
  );
  const clear = useCallback(() => {
    setShown('');
    keep('');
    save();
  }, [keep, save]);
  return { text, setText, clear };
}
