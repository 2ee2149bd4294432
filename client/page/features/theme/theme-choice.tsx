import { MenuChoice, MenuLine } from '../../design/menu.tsx';
import { useVault } from '../../shell/app-context.tsx';
import { useTheme } from './use-theme.ts';

const themes = [
  { value: 'system', label: 'Like the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
] as const;

/** The theme in the account's menu. */
export function ThemeChoice() {
  const vault = useVault();
  const theme = useTheme();
  return (
    <>
      <MenuChoice
        label="Theme"
        value={theme}
        options={themes}
        onChange={(next) => void vault.call((api) => api.setTheme({ theme: next }))}
      />
      <MenuLine />
    </>
  );
}
