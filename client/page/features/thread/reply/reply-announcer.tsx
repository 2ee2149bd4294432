import { useEffect, useState } from 'react';
import { isActive, selectLastMessage } from '../../../state/selectors.ts';
import type { AppState } from '../../../state/store.ts';
import type { AssistantMessage } from '../../../../vault/api/vault-api.ts';
import { useAppSelector } from '../../../shell/context/app-context.tsx';
import { say } from '../../../texts/say.ts';

const stillRespondingMs = 7000;

/** The one place where a screen reader hears of a reply; its words never stand in a live region. */
export function ReplyAnnouncer({ conversationId }: { readonly conversationId: string | null }) {
  const active = useAppSelector((state) => {
    const last = selectLastMessage(state, conversationId);
    return last?.role === 'assistant' && isActive(last);
  });
  // On its way, or waiting for the relay: the page says so where the reply will be, and nothing responds yet.
  const responding = useAppSelector((state) => {
    const last = selectLastMessage(state, conversationId);
    if (isAway(state)) return false;
    return last?.role === 'assistant' && (last.state.kind === 'waiting' || last.state.kind === 'streaming');
  });
  const ending = useAppSelector((state) => {
    const last = selectLastMessage(state, conversationId);
    return last?.role === 'assistant' ? endingText(last) : '';
  });
  const [wasActive, setWasActive] = useState(false);
  const [rounds, setRounds] = useState(0);
  if (active && !wasActive) setWasActive(true);

  useEffect(() => {
    if (!responding) return;
    const timer = setInterval(() => setRounds((count) => count + 1), stillRespondingMs);
    return () => {
      clearInterval(timer);
      setRounds(0);
    };
  }, [responding]);

  const text = responding ? respondingText(rounds) : active ? '' : wasActive ? ending : '';
  return (
    // Named live: an open dialog hides from a screen reader everything else that is not its own.
    <output aria-live="polite" aria-atomic="true" className="sr-only">
      {text}
    </output>
  );
}

/** Nothing can be known of it then. */
function isAway({ session }: AppState): boolean {
  return session.connection === 'offline' || session.connection === 'relay-unreachable';
}

/** A full stop more or less, so that the same words are read again. */
function respondingText(rounds: number): string {
  if (rounds === 0) return say('announce.responding');
  return rounds % 2 === 1 ? say('announce.still') : `${say('announce.still')}.`;
}

function endingText({ state }: AssistantMessage): string {
  if (state.kind !== 'ended') return '';
  return state.outcome === 'complete' ? say('announce.complete') : say('announce.ended');
}
