import { useId, type InputHTMLAttributes, type ReactNode, type Ref } from 'react';
import { classNames } from '../styles/class-names.ts';

export const fieldClasses =
  'block w-full min-h-11 rounded-control border border-line-strong bg-raised px-4 py-2.5 text-ink ' +
  'placeholder:text-ink-faint focus-visible:border-accent aria-invalid:border-danger';

type TextFieldProps = InputHTMLAttributes<HTMLInputElement> & {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly ref?: Ref<HTMLInputElement>;
};

/** A labelled line of text; hint and error are read with it. */
export function TextField({ label, hint, error, className, ...rest }: TextFieldProps) {
  const id = useId();
  const described = describedBy(id, hint !== undefined, error !== undefined);
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block font-semibold">
        {label}
      </label>
      <input
        type="text"
        {...rest}
        id={id}
        aria-invalid={error === undefined ? undefined : true}
        aria-describedby={described}
        className={fieldClasses}
      />
      <FieldNotes id={id} hint={hint} error={error} />
    </div>
  );
}

export function describedBy(id: string, hasHint: boolean, hasError: boolean): string | undefined {
  const ids = classNames(hasError && `${id}-error`, hasHint && `${id}-hint`);
  return ids === '' ? undefined : ids;
}

type FieldNotesProps = { readonly id: string; readonly hint?: ReactNode; readonly error?: string | undefined };

export function FieldNotes({ id, hint, error }: FieldNotesProps) {
  return (
    <>
      {error !== undefined && (
        <p id={`${id}-error`} role="alert" className="mt-1.5 text-small text-danger">
          {error}
        </p>
      )}
      {hint !== undefined && (
        <div id={`${id}-hint`} className="mt-1.5 text-small text-ink-soft">
          {hint}
        </div>
      )}
    </>
  );
}
