import { useEffect, useState, useSyncExternalStore } from 'react';

const reloadedKey = 'sotto.reloaded-at';
const onceWithinMs = 60_000;
const seenPauseMs = 2_000;
const unseenPauseMs = 15_000;
const probeEndMs = 10_000;
const leavingMs = 30_000;

let missing = 0;
const listeners = new Set<() => void>();

let leftAtMs = -Infinity;
// Always, as what was loading may be the first to notice: Firefox stops it as soon as a navigation begins.
window.addEventListener('beforeunload', () => (leftAtMs = performance.now()));

/** True while a part of the page that did not come at first is waited for. */
export function useMissingPart(): boolean {
  return useSyncExternalStore(subscribe, () => missing > 0);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Loads a page's script. One that does not come is asked for again once the relay answers. Where it is gone even then, another
 * build has taken its place, and the page is loaded anew, once.
 *
 * @throws what the loading came to, where that was tried already.
 */
export async function loadPart<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch {
    return await loadAgain(load);
  }
}

async function loadAgain<T>(load: () => Promise<T>): Promise<T> {
  count(1);
  try {
    await whenReachable();
    // Chromium remembers that it did not come, other browsers fetch it now.
    return await load();
  } catch (error) {
    // The page is on its way out: nothing else is shown meanwhile.
    if (reloadOnce()) return await new Promise<never>(() => undefined);
    throw error;
  } finally {
    count(-1);
  }
}

/**
 * Loads the page anew, once, where that may bring a script of the vault that did not come.
 *
 * @returns true once that is no hope any more.
 */
export function useOneReload(mayHelp: boolean): boolean {
  const [isTried, setIsTried] = useState(false);
  useEffect(() => {
    if (!mayHelp) return;
    count(1);
    void whenReachable().then(() => {
      // The page is on its way out where it is loaded anew.
      if (reloadOnce()) return;
      count(-1);
      setIsTried(true);
    });
  }, [mayHelp]);
  return isTried || !mayHelp;
}

function count(change: number): void {
  missing += change;
  for (const listener of listeners) listener();
}

/**
 * A reload without a relay would end in the browser's own error page, and one of a page that is being left would call
 * its person back. No browser tells of a navigation that was given up: it is taken to be after a while.
 */
async function whenReachable(): Promise<void> {
  while (isBeingLeft() || !(await isAnswering()) || isBeingLeft()) await nextChance();
}

function isBeingLeft(): boolean {
  return performance.now() - leftAtMs < leavingMs;
}

async function isAnswering(): Promise<boolean> {
  try {
    const answer = await fetch('/livez', {
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(probeEndMs),
    });
    // The log-in page of a network is none of the relay's.
    return answer.ok && !/^text\/html\b/i.test(answer.headers.get('content-type') ?? '');
  } catch {
    return false;
  }
}

function nextChance(): Promise<void> {
  return new Promise((resolve) => {
    const pauseMs = document.visibilityState === 'visible' ? seenPauseMs : unseenPauseMs;
    const timer = setTimeout(goOn, pauseMs * (0.75 + Math.random() / 2));
    window.addEventListener('online', goOn);
    document.addEventListener('visibilitychange', goOn);
    function goOn(): void {
      clearTimeout(timer);
      window.removeEventListener('online', goOn);
      document.removeEventListener('visibilitychange', goOn);
      resolve();
    }
  });
}

/** @returns false where it was done a moment ago: a browser that remembers nothing would go round in a circle. */
function reloadOnce(): boolean {
  try {
    const reloadedAtMs = Number(sessionStorage.getItem(reloadedKey) ?? 0);
    if (Date.now() - reloadedAtMs < onceWithinMs) return false;
    sessionStorage.setItem(reloadedKey, String(Date.now()));
  } catch {
    return false;
  }
  window.location.reload();
  return true;
}
