const reloadedKey = 'sotto.reloaded-at';
const onceWithinMs = 60_000;

/** A chunk of an older build is gone: load the page again, once, instead of leaving a dead button. */
export function reloadAfterDeploy(): void {
  window.addEventListener('vite:preloadError', (event) => {
    if (!remembersReload()) return;
    event.preventDefault();
    window.location.reload();
  });
}

/** Whether this may be the one: a browser that remembers nothing would go round in a circle. */
function remembersReload(): boolean {
  try {
    const reloadedAtMs = Number(sessionStorage.getItem(reloadedKey) ?? 0);
    if (Date.now() - reloadedAtMs < onceWithinMs) return false;
    sessionStorage.setItem(reloadedKey, String(Date.now()));
    return true;
  } catch {
    return false;
  }
}
