import type { ComponentType } from 'react';
import { ThemeChoice } from '../theme/theme-choice.tsx';

/** What a person sets for the account, in the order of the account's menu: a new setting is one more line. */
export const settingRows: readonly ComponentType[] = [ThemeChoice];
