import type { ReactNode } from 'react';
import { Spinner } from './spinner.tsx';

type StatusProps = {
  readonly working?: boolean;
  readonly tone?: 'soft' | 'caution' | 'danger';
  readonly children: ReactNode;
};

const tones = { soft: 'text-ink-soft', caution: 'text-caution', danger: 'text-danger' };

/** A line that says how far something is. */
export function Status({ working = false, tone = 'soft', children }: StatusProps) {
  return (
    <p className={`flex items-center gap-2.5 text-small ${tones[tone]}`}>
      {working && <Spinner />}
      <span>{children}</span>
    </p>
  );
}
