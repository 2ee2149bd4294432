import { useEffect, useState } from 'react';
import { Status } from '../../design/display/status.tsx';
import { say } from '../../texts/say.ts';
import { Said } from '../../design/display/said.tsx';

/** A container that boots, with the time that it has taken so far; the seconds are for the eyes alone. */
export function StartingLine({ sinceMs }: { readonly sinceMs: number }) {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <Status working>
      <Said
        id="protection.starting-since"
        since={
          <span aria-hidden="true" className="tabular-nums">
            ({elapsedText(nowMs - sinceMs)})
          </span>
        }
      />
    </Status>
  );
}

/** `7 s`, then `1:07`. */
export function elapsedText(elapsedMs: number): string {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1000));
  if (seconds < 60) return say('wait.elapsed-seconds', { seconds });
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
