import '../../../../client/page/design/style.css';
import { createRoot } from 'react-dom/client';
import { App } from '../../../../client/page/app.tsx';
import { stayOnDrop } from '../../../../client/page/shell/stay-on-drop.ts';
import { createStore } from '../../../../client/page/state/store.ts';
import { createVaultLink } from '../../../../client/page/state/vault-link.ts';
import { chooseLanguage, speakLanguage } from '../../../../client/page/texts/languages.ts';
import { ScriptedVault } from './scripted-vault.ts';

/** Where a test finds it in the page. */
declare global {
  interface Window {
    vault: ScriptedVault;
  }
}

/*
 * The client's real pages over a vault that a test writes the script for. Never part of a shipped build: client/page/main.tsx knows
 * nothing of it. A test reaches the vault as `window.vault`.
 */
stayOnDrop();
window.vault = new ScriptedVault();

async function begin(): Promise<void> {
  await speakLanguage(chooseLanguage(navigator.languages), document.documentElement);
  const store = createStore();
  createRoot(document.querySelector('#root') as HTMLElement).render(
    <App store={store} vault={createVaultLink(store, () => window.vault)} />,
  );
}

void begin();
