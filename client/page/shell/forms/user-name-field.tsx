import type { ReactNode, Ref } from 'react';
import { TextField } from '../../design/fields/text-field.tsx';
import { say } from '../../texts/say.ts';

type UserNameFieldProps = {
  readonly ref: Ref<HTMLInputElement>;
  readonly value: string;
  readonly onValue: (userName: string) => void;
  readonly error?: string | undefined;
  readonly hint?: ReactNode;
};

/** The one field for a user name, so that password managers and keyboards treat every form alike. */
export function UserNameField({ onValue, ...rest }: UserNameFieldProps) {
  return (
    <TextField
      {...rest}
      label={say('field.user-name')}
      name="username"
      autoComplete="username"
      autoCapitalize="none"
      spellCheck={false}
      required
      onChange={(event) => onValue(event.target.value)}
    />
  );
}
