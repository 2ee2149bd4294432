import { useId, useState, type InputHTMLAttributes, type ReactNode, type Ref } from 'react';
import { EyeIcon, EyeOffIcon } from '../display/icons.tsx';
import { IconButton } from '../buttons/icon-button.tsx';
import { describedBy, fieldClasses, FieldNotes } from './text-field.tsx';
import { say } from '../../texts/say.ts';

type PasswordFieldProps = Omit<InputHTMLAttributes<HTMLInputElement>, 'type'> & {
  readonly label: string;
  readonly autoComplete: 'current-password' | 'new-password';
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly ref?: Ref<HTMLInputElement>;
};

/** Paste and password managers are welcome; the eye shows what was typed. */
export function PasswordField({ label, hint, error, className, ...rest }: PasswordFieldProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block font-semibold">
        {label}
      </label>
      <div className="relative">
        <input
          spellCheck={false}
          autoCapitalize="none"
          {...rest}
          id={id}
          type={shown ? 'text' : 'password'}
          aria-invalid={error === undefined ? undefined : true}
          aria-describedby={describedBy(id, hint !== undefined, error !== undefined)}
          className={`${fieldClasses} pr-13`}
        />
        <IconButton
          label={shown ? say('field.hide-typed') : say('field.show-typed')}
          onClick={() => setShown(!shown)}
          className="absolute top-1/2 right-1 -translate-y-1/2"
        >
          {shown ? <EyeOffIcon /> : <EyeIcon />}
        </IconButton>
      </div>
      <FieldNotes id={id} hint={hint} error={error} />
    </div>
  );
}
