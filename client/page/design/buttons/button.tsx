import type { ButtonHTMLAttributes, Ref } from 'react';
import { classNames } from '../styles/class-names.ts';
import { Spinner } from '../display/spinner.tsx';

export type ButtonLook = 'primary' | 'secondary' | 'quiet' | 'danger';

const looks: Record<ButtonLook, string> = {
  primary: 'bg-accent text-accent-ink hover:bg-accent-strong border-transparent',
  secondary: 'bg-raised text-ink border-line-strong hover:border-accent hover:text-accent',
  quiet: 'bg-transparent text-ink-soft border-transparent hover:bg-sunken hover:text-ink',
  danger: 'bg-danger text-paper border-transparent hover:opacity-90',
};

export function buttonClasses(look: ButtonLook, className?: string): string {
  return classNames(
    'inline-flex print:hidden min-h-11 items-center justify-center gap-2 rounded-control border px-5 py-2 text-center font-semibold',
    'transition-colors duration-150 aria-disabled:opacity-55 aria-disabled:cursor-default select-none no-underline',
    looks[look],
    className,
  );
}

export type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  readonly look?: ButtonLook;
  /** Shows that it works, and takes no second press. */
  readonly busy?: boolean;
  readonly ref?: Ref<HTMLButtonElement>;
};

/**
 * Never `disabled` in the browser's sense: that takes the focus away, and whoever works by keyboard would be nowhere. It says
 * that it takes no press, and takes none, a form's included.
 */
export function Button(props: ButtonProps) {
  const { look = 'secondary', busy = false, className, children, disabled, onClick, ...rest } = props;
  const isOff = disabled === true || busy;
  return (
    <button
      type="button"
      {...rest}
      aria-disabled={isOff || undefined}
      onClick={(event) => {
        if (isOff) event.preventDefault();
        else onClick?.(event);
      }}
      aria-busy={busy || undefined}
      className={buttonClasses(look, className)}
    >
      {busy && <Spinner />}
      {children}
    </button>
  );
}
