import type { AnchorHTMLAttributes, MouseEvent, Ref } from 'react';
import { navigate, pathOf, type Route } from '../../state/router.ts';

type LinkProps = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> & {
  readonly to: Route;
  readonly ref?: Ref<HTMLAnchorElement>;
};

/** A link inside the client: a plain click stays in the page, anything else (new tab, new window) is the browser's. */
export function Link({ to, onClick, children, ...rest }: LinkProps) {
  function follow(event: MouseEvent<HTMLAnchorElement>) {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  }
  return (
    <a {...rest} href={pathOf(to)} onClick={follow}>
      {children}
    </a>
  );
}
