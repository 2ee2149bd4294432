import type { HTMLAttributes } from 'react';
import { classNames } from '../styles/class-names.ts';

export function Card({ className, ...rest }: HTMLAttributes<HTMLDivElement>) {
  return <div {...rest} className={classNames('rounded-card border border-line bg-surface shadow-low', className)} />;
}
