import { useSyncExternalStore } from 'react';

const reloadedKey = 'sotto.reloaded-at';
const onceWithinMs = 60_000;
const seenPauseMs = 2_000;
const unseenPauseMs = 15_000;
const probeEndMs = 10_000;

let missing = 0;
const listeners = new Set<() => void>();

/** True while a part of the page that did not come at first is waited for. */
export function useMissingPart(): boolean {
  return useSyncExternalStore(subscribe, () => missing > 0);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Loads a page's script. One that does not come is asked for again once the relay answers; where it is gone even then,
 * another build has taken its place, and the page is loaded anew, once.
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
    await whenRelayAnswers();
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

function count(change: number): void {
  missing += change;
  for (const listener of listeners) listener();
}

/** A reload without a relay would end in the browser's own error page. */
export async function whenRelayAnswers(): Promise<void> {
  while (!(await isAnswering())) await nextChance();
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
export function reloadOnce(): boolean {
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
