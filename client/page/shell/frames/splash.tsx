import { useEffect, useState } from 'react';
import { LogoMark } from '../../design/display/wordmark.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import { useAppSelector } from '../context/app-context.tsx';
import { useMissingPart } from '../browser/load-part.ts';
import { say } from '../../texts/say.ts';

/** Shown while the vault or a page is on its way; nothing at first, so that a quick start does not flash. */
export function Splash() {
  const [slow, setSlow] = useState(false);
  const heldUpBy = useAppSelector(({ session }) => session.heldUpBy);
  const isPartMissing = useMissingPart();
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return (
    <main id="main" className="grid min-h-dvh place-items-center" aria-busy="true">
      {slow && (
        <output className="flex max-w-md flex-col items-center gap-4 px-6 text-center text-ink-soft">
          <LogoMark className="breathe size-12" />
          {heldUpBy !== null
            ? failureText({ code: heldUpBy })
            : isPartMissing
              ? say('start.part-missing')
              : say('start.loading-chats')}
        </output>
      )}
    </main>
  );
}
