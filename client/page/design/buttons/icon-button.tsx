import type { ButtonHTMLAttributes, Ref } from 'react';
import { classNames } from '../styles/class-names.ts';

export const iconButtonClasses =
  'inline-flex print:hidden size-9 touch:size-11 shrink-0 items-center justify-center rounded-control text-ink-soft ' +
  'transition-colors duration-150 hover:bg-sunken hover:text-ink disabled:opacity-45 disabled:pointer-events-none';

type IconButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'aria-label'> & {
  /** The accessible name, also shown as a tooltip. */
  readonly label: string;
  readonly ref?: Ref<HTMLButtonElement>;
};

export function IconButton({ label, className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      title={label}
      {...rest}
      aria-label={label}
      className={classNames(iconButtonClasses, className)}
    >
      {children}
    </button>
  );
}
