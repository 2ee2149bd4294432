import type { ComponentType } from 'react';
import { ThemeChoice } from '../theme/theme-choice.tsx';

/** Something that a person sets for the account. */
export type SettingRow = {
  readonly name: string;
  /** Its row in the account's menu. `openDialog` closes the menu and opens the row's dialog. */
  readonly Row: ComponentType<{ readonly openDialog: () => void }>;
  /** A dialog in which it is set, if a row is too small for that. */
  readonly Dialog?: ComponentType<{ readonly onClose: () => void }>;
};

/** In the order of the menu: a new setting is one more line. */
export const settingRows: readonly SettingRow[] = [{ name: 'theme', Row: ThemeChoice }];
