import { createRoot } from 'react-dom/client';
import type { OpenVault } from '../vault/api/open-vault.ts';
import { App } from './app.tsx';
import { createStore } from './state/store.ts';
import { createVaultLink } from './state/vault-link.ts';
import { chooseLanguage, speakLanguage } from './languages.ts';

/** Draws the page over a vault, in the first language of the browser's list that there are texts in. */
export async function startPage(openVault: OpenVault): Promise<void> {
  const root = document.querySelector('#root');
  if (root === null) throw new Error('index.html has no #root');
  // Nothing is painted before, or words of another language would flash.
  await speakLanguage(chooseLanguage(navigator.languages), document.documentElement);
  const store = createStore();
  createRoot(root).render(<App store={store} vault={createVaultLink(store, openVault)} />);
}
