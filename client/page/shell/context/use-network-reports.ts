import { useEffect } from 'react';
import { useAppSelector, useVault } from './app-context.tsx';

/** Passes on what the page is told of the network and of being looked at: a Worker hears of neither in every browser. */
export function useNetworkReports(): void {
  const vault = useVault();
  // A vault that has just started knows nothing yet, and after the end of a session it is another one.
  const status = useAppSelector((state) => state.session.status);
  const isRunning = status !== 'idle' && status !== 'broken';
  useEffect(() => {
    if (!isRunning) return;
    const report = () => {
      const isSeen = document.visibilityState === 'visible';
      void vault.call((api) => api.noteNetwork({ isOnline: navigator.onLine, isSeen }));
    };
    report();
    window.addEventListener('online', report);
    window.addEventListener('offline', report);
    window.addEventListener('pageshow', report);
    document.addEventListener('visibilitychange', report);
    return () => {
      window.removeEventListener('online', report);
      window.removeEventListener('offline', report);
      window.removeEventListener('pageshow', report);
      document.removeEventListener('visibilitychange', report);
    };
  }, [isRunning, status, vault]);
}
