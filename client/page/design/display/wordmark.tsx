/** The mark: something said, growing softer (a decrescendo in a speech bubble). */
export function LogoMark({ className }: { readonly className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true" focusable="false">
      <path
        className="fill-accent"
        d="M16 2.5c7.7 0 13.5 5.4 13.5 12.6S23.7 27.7 16 27.7c-1.5 0-3-.2-4.3-.6L5.6 30c-.6.3-1.2-.3-1-.9l1.5-4.9C3.8 21.9 2.5 18.7 2.5 15.1 2.5 7.9 8.3 2.5 16 2.5Z"
      />
      <path
        className="stroke-accent-ink"
        fill="none"
        strokeWidth="2.3"
        strokeLinecap="round"
        strokeLinejoin="round"
        d="m9.2 10.6 13.6 4.5-13.6 4.5"
      />
    </svg>
  );
}

/** The name, drawn in one line width, its two t's under one bar. */
function Lettering({ className }: { readonly className?: string }) {
  return (
    <svg viewBox="0 0 94 32" className={className} aria-hidden="true" focusable="false">
      <g fill="none" stroke="currentColor" strokeWidth="3" strokeLinecap="round" strokeLinejoin="round">
        <path d="M17.5 8.6C16.3 6.4 14 5.2 11 5.2c-4 0-6.7 2.1-6.7 5.2 0 3.3 2.7 4.5 6.9 5.4 4.3.9 7 2.3 7 5.7 0 3.4-3 5.6-7.2 5.6-3.6 0-6.3-1.5-7.5-4.2" />
        <circle cx="32" cy="19.7" r="7.3" />
        <path d="M50.5 6.5v15.8c0 3 1.4 4.6 4.1 4.6M61.5 6.5v15.8c0 3 1.4 4.6 4.1 4.6M46 12.6h20.5" />
        <circle cx="80" cy="19.7" r="7.3" />
      </g>
    </svg>
  );
}

export function Wordmark({ className }: { readonly className?: string }) {
  return (
    <span className={`inline-flex items-center gap-2.5 text-ink ${className ?? ''}`}>
      <LogoMark className="size-8" />
      <Lettering className="h-6.5 w-auto" />
      <span className="sr-only">Sotto</span>
    </span>
  );
}
