import type { CSSProperties, ReactNode } from 'react';

type OrderedListProps = {
  readonly start: number;
  readonly length: number;
  /** The greatest number that an item says itself, or 0. */
  readonly longest: number;
  readonly children: ReactNode;
};

/** A numbered list that keeps room for its longest number: 4 digits would stand outside of a phone's screen. */
export function OrderedList({ start, length, longest, children }: OrderedListProps) {
  const digits = String(Math.max(longest, start + length - 1)).length;
  const room: CSSProperties & { '--digits': number } = { '--digits': digits };
  return (
    <ol start={start} style={digits > 1 ? room : undefined}>
      {children}
    </ol>
  );
}
