import { useCallback, useEffect, useRef, useState } from 'react';
import { maximumMessageLength } from '../../../../crypto/protocol/contents/item-contents.ts';
import type { VaultFailure, VaultViews } from '../../../vault/api/vault-api.ts';
import { useAppSelector, useVault, useVaultView } from '../../shell/context/app-context.tsx';

const savedAfterMs = 400;
const nothingReturned: VaultViews['returned'] = [];

export type Draft = {
  readonly text: string;
  readonly setText: (text: string) => void;
  /** Takes what was sent out of the box and out of the stored draft. */
  readonly clear: (sent: string) => void;
  /** Why the newest words are in the box alone; null while they are kept. */
  readonly unkept: VaultFailure | null;
};

type Unsaved = { readonly conversationId: string | null; readonly text: string };

/**
 * Unsent words of one conversation: kept by the vault, sealed, shortly after each change; back after a reload. The box of
 * a new chat also takes what was given back, and the vault lets go of that only with the draft that holds it.
 */
export function useDraft(conversationId: string | null): Draft {
  const vault = useVault();
  const returned = useVaultView('returned') ?? nothingReturned;
  const isGone = useAppSelector(
    ({ conversations: { order, byId } }) =>
      conversationId !== null && order !== null && byId[conversationId] === undefined,
  );
  /** Nobody comes back to the box of a conversation that was deleted: its words go along into a new chat. */
  const wasGone = useRef(false);
  const [text, setShown] = useState('');
  const latest = useRef('');
  const owner = useRef<string | null | undefined>(undefined);
  /** The newest reading of a stored draft: what an older one brings is for a box that was left. */
  const reading = useRef(0);
  /** Whose stored draft is in the box. */
  const [loaded, setLoaded] = useState<string | null | undefined>(undefined);
  /** Returned words that are in the box, by their turn, as they were put there: every saving of it names the turns. */
  const taken = useRef(new Map<string, string>());
  /** Turns of returned words that are in the draft of another tab. */
  const elsewhere = useRef(new Set<string>());
  /** The drafts for which the newest saving was refused. */
  const [refused, setRefused] = useState<readonly string[]>([]);
  const [unkept, setUnkept] = useState<VaultFailure | null>(null);
  const unsaved = useRef<Unsaved | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const show = useCallback((next: string) => {
    latest.current = next;
    setShown(next);
  }, []);

  const save = useCallback(() => {
    clearTimeout(timer.current);
    const draft = unsaved.current;
    unsaved.current = null;
    if (draft === null) return;
    const turnIds = [...taken.current.keys()];
    void vault
      .call((api) => api.writeDraft(turnIds.length === 0 ? draft : { ...draft, returned: turnIds }))
      .then((result) => {
        // Nothing is said any more of the box that was left.
        if (draft.conversationId === (owner.current ?? null)) setUnkept(result.ok ? null : result.failure);
        const gone = result.ok ? result.value.filter((turnId) => taken.current.has(turnId)) : [];
        if (gone.length > 0) setRefused(gone);
      });
  }, [vault]);

  const keep = useCallback(
    (next: string) => {
      unsaved.current = { conversationId: owner.current ?? null, text: next };
      clearTimeout(timer.current);
      timer.current = setTimeout(save, savedAfterMs);
    },
    [save],
  );

  useEffect(() => {
    if (owner.current === conversationId) return;
    save();
    taken.current.clear();
    owner.current = conversationId;
    const carried = conversationId === null && wasGone.current ? latest.current : '';
    show(carried);
    setUnkept(null);
    setLoaded(undefined);
    const mine = (reading.current += 1);
    void vault
      .call((api) => api.readDraft({ conversationId }))
      .then((result) => {
        if (!result.ok || reading.current !== mine) return;
        // Faster fingers than the vault: what was typed meanwhile comes after what was there.
        const typed = latest.current;
        const isApart = result.value !== '' && carried !== '';
        show(result.value + (isApart ? '\n\n' : '') + typed);
        if (typed !== '') keep(latest.current);
        setLoaded(conversationId);
      });
  }, [conversationId, keep, save, show, vault]);

  useEffect(() => {
    wasGone.current = isGone;
  }, [isGone]);

  useEffect(() => {
    if (conversationId !== null || loaded !== null) return;
    const before = latest.current;
    for (const { turnId, text: words } of returned) {
      const added = latest.current === '' ? words : `\n\n${words}`;
      if (taken.current.has(turnId) || elsewhere.current.has(turnId)) continue;
      // A text that does not fit waits until there is room: each change of the text may make some.
      if (latest.current.length + added.length > maximumMessageLength) continue;
      taken.current.set(turnId, added);
      show(latest.current + added);
    }
    if (latest.current === before) return;
    keep(latest.current);
    save();
  }, [conversationId, keep, loaded, returned, save, show, text]);

  useEffect(() => {
    if (refused.length === 0) return;
    for (const turnId of refused) elsewhere.current.add(turnId);
    const mine = (reading.current += 1);
    void vault
      .call((api) => api.readDraft({ conversationId: null }))
      .then((result) => {
        if (!result.ok || reading.current !== mine) return;
        let here = latest.current;
        for (const turnId of refused) {
          here = here.replace(taken.current.get(turnId) ?? '', '').trim();
          taken.current.delete(turnId);
        }
        unsaved.current = null;
        // Words that only this box has are not lost either.
        const isThere = result.value.includes(here);
        show(isThere ? result.value : `${result.value}\n\n${here}`.trim());
        if (!isThere) keep(latest.current);
      });
  }, [keep, refused, show, vault]);

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

  const setText = useCallback(
    (next: string) => {
      show(next);
      keep(next);
    },
    [keep, show],
  );
  const clear = useCallback(
    (sent: string) => {
      // The box of another conversation by now, perhaps.
      if (!latest.current.startsWith(sent)) return;
      // Words may have been given back into it while it was being sent.
      setText(latest.current.slice(sent.length).trimStart());
      save();
    },
    [save, setText],
  );
  return { text, setText, clear, unkept };
}
