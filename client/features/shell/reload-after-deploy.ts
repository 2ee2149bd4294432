const reloadedKey = 'sotto.reloaded-at';
const onceWithinMs = 60_000;

/** A chunk of an older build is gone: load the page again, once, instead of leaving a dead button. */
export function reloadAfterDeploy(): void {
  window.addEventListener('vite:preloadError', (event) => {
    const reloadedAtMs = Number(sessionStorage.getItem(reloadedKey) ?? 0);
    if (Date.now() - reloadedAtMs < onceWithinMs) return;
    event.preventDefault();
    sessionStorage.setItem(reloadedKey, String(Date.now()));
    window.location.reload();
  });
}
