import { useId, type ReactNode } from 'react';

type RadioListProps<T extends string> = {
  readonly legend: ReactNode;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string; readonly hint?: string }[];
  readonly onChange: (value: T) => void;
  readonly disabled?: boolean;
};

/** One of a few, each on a line of its own. */
export function RadioList<T extends string>({ legend, value, options, onChange, disabled }: RadioListProps<T>) {
  const name = useId();
  return (
    <fieldset disabled={disabled} className="min-w-0">
      <legend className="font-semibold">{legend}</legend>
      <div className="mt-2 grid gap-0.5">
        {options.map((option) => (
          <label
            key={option.value}
            htmlFor={`${name}-${option.value}`}
            className="flex min-h-11 cursor-pointer items-start gap-3 rounded-control px-2 py-2 hover:bg-sunken"
          >
            <input
              id={`${name}-${option.value}`}
              type="radio"
              name={name}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
              className="mt-0.5 size-6 shrink-0 accent-accent"
            />
            <span className="min-w-0 pt-0.5">
              {option.label}
              {option.hint !== undefined && <span className="block text-small text-ink-soft">{option.hint}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
