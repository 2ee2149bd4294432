import { useEffect, useState } from 'react';
import { LogoMark } from '../../design/wordmark.tsx';

/** Shown while the vault or a page is on its way; nothing at first, so that a quick start does not flash. */
export function Splash() {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return (
    <main id="main" className="grid min-h-dvh place-items-center" aria-busy="true">
      {slow && (
        <output className="flex flex-col items-center gap-4 text-ink-soft">
          <LogoMark className="breathe size-12" />
          Opening your vault…
        </output>
      )}
    </main>
  );
}
