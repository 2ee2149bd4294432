import { MenuChoice, MenuLine } from '../../design/overlays/menu.tsx';
import { useVault } from '../../shell/context/app-context.tsx';
import { useTheme } from './use-theme.ts';
import { say } from '../../texts/say.ts';

const themes = ['system', 'light', 'dark'] as const;

/** The theme in the account's menu. */
export function ThemeChoice() {
  const vault = useVault();
  const theme = useTheme();
  return (
    <>
      <MenuChoice
        label={say('account-menu.theme')}
        value={theme}
        options={themes.map((each) => ({ value: each, label: say(`account-menu.theme-${each}`) }))}
        onChange={(next) => void vault.call((api) => api.setTheme({ theme: next }))}
      />
      <MenuLine />
    </>
  );
}
