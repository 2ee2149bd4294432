import { useEffect, useRef, type ReactNode } from 'react';

let pagesShown = 0;

type PageHeadingProps = { readonly className?: string; readonly takesFocus?: boolean; readonly children: ReactNode };

/** The page's h1. After a change of page it takes the focus, so that a screen reader says where one is. */
export function PageHeading({ className, takesFocus = true, children }: PageHeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    pagesShown += 1;
    // Not on the first page: a browser starts at the top by itself.
    if (takesFocus && pagesShown > 1) heading.current?.focus({ preventScroll: true });
  }, [takesFocus]);
  return (
    <h1 ref={heading} tabIndex={-1} className={className}>
      {children}
    </h1>
  );
}
