import { useEffect } from 'react';

/**
 * A control that goes away while it has the focus would leave whoever works by keyboard nowhere. The focus goes to what it
 * stood in (a dialog, a message, a list), else to the message box, else to the heading.
 */
export function useKeptFocus(): void {
  useEffect(() => {
    let held: readonly HTMLElement[] = [];
    const onFocusIn = ({ target }: FocusEvent) => {
      held = target instanceof HTMLElement ? [target, ...placesAround(target)] : [];
    };
    const onFocusOut = ({ target }: FocusEvent) => {
      // Left by hand, it may go away later without being missed.
      requestAnimationFrame(() => {
        const isThere = target instanceof HTMLElement && target.isConnected;
        if (isThere && held[0] === target && document.activeElement !== target) held = [];
      });
    };
    const observer = new MutationObserver(() => {
      if (held[0] === undefined || held[0].isConnected) return;
      const [, ...places] = held;
      held = [];
      // A page or a dialog that gives the focus a place of its own does so first.
      requestAnimationFrame(() => requestAnimationFrame(() => focusOneOf(places)));
    });
    observer.observe(document.body, { childList: true, subtree: true });
    document.addEventListener('focusin', onFocusIn);
    document.addEventListener('focusout', onFocusOut);
    return () => {
      observer.disconnect();
      document.removeEventListener('focusin', onFocusIn);
      document.removeEventListener('focusout', onFocusOut);
    };
  }, []);
}

/** From the nearest outwards. */
function placesAround(element: HTMLElement): HTMLElement[] {
  const places: HTMLElement[] = [];
  let place = element.parentElement?.closest<HTMLElement>('[tabindex]') ?? null;
  while (place !== null) {
    places.push(place);
    place = place.parentElement?.closest<HTMLElement>('[tabindex]') ?? null;
  }
  return places;
}

function focusOneOf(places: readonly HTMLElement[]): void {
  if (document.activeElement !== null && document.activeElement !== document.body) return;
  // On a phone the message box would open the keyboard.
  const isFine = window.matchMedia('(pointer: fine)').matches;
  const rest = document.querySelectorAll<HTMLElement>(isFine ? '#message, h1' : 'h1');
  const found = [...places.filter((place) => place.isConnected), ...[...rest].toReversed()];
  found[0]?.focus({ preventScroll: true });
}
