import { useState } from 'react';
import { Status } from '../../design/display/status.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import { useAppSelector } from '../context/app-context.tsx';
import { say } from '../../texts/say.ts';

/** Only while something is wrong with the way to the relay, or holds the start up. @param kept - A sentence on what becomes of what one does. */
export function ConnectionLine({ kept }: { readonly kept: string }) {
  const connection = useAppSelector((state) => state.session.connection);
  const heldUpBy = useAppSelector((state) => state.session.heldUpBy);
  const text =
    heldUpBy !== null
      ? failureText({ code: heldUpBy })
      : connection === 'offline'
        ? say('connection.offline', { kept })
        : connection === 'relay-unreachable'
          ? say('connection.relay-away', { kept })
          : null;
  const [wasAway, setWasAway] = useState(false);
  const isAway = connection === 'offline' || connection === 'relay-unreachable';
  if (isAway && !wasAway) setWasAway(true);
  // The live region stands before it has something to say: a reader hears only what changes in one.
  return (
    <output
      aria-live="polite"
      className={text === null ? 'block' : 'block border-b border-line bg-caution-soft px-4 py-2 sm:px-6'}
    >
      {text !== null && (
        <Status tone="caution" working>
          {text}
        </Status>
      )}
      {/* The eye sees the line go. */}
      {text === null && wasAway && <span className="sr-only">{say('connection.back')}</span>}
    </output>
  );
}
