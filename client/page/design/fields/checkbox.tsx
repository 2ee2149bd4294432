import { useId, type ReactNode, type Ref } from 'react';
import { describedBy, FieldNotes } from './text-field.tsx';

type CheckboxProps = {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly error?: string | undefined;
  readonly ref?: Ref<HTMLInputElement>;
  readonly children: ReactNode;
};

export function Checkbox({ checked, onChange, error, ref, children }: CheckboxProps) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="flex cursor-pointer items-start gap-3 py-2">
        <input
          ref={ref}
          id={id}
          type="checkbox"
          checked={checked}
          onChange={(event) => onChange(event.target.checked)}
          aria-invalid={error === undefined ? undefined : true}
          aria-describedby={describedBy(id, false, error !== undefined)}
          className="mt-0.5 size-6 shrink-0 accent-accent"
        />
        <span>{children}</span>
      </label>
      <FieldNotes id={id} error={error} />
    </div>
  );
}
