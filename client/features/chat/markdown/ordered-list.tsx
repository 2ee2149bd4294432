import type { CSSProperties, ReactNode } from 'react';

type OrderedListProps = { readonly start: number; readonly length: number; readonly children: ReactNode };

/** A numbered list that keeps room for its longest number: 4 digits would stand outside of a phone's screen. */
export function OrderedList({ start, length, children }: OrderedListProps) {
  const digits = String(start + length - 1).length;
  const room: CSSProperties & { '--digits': number } = { '--digits': digits };
  return (
    <ol start={start} style={digits > 1 ? room : undefined}>
      {children}
    </ol>
  );
}
