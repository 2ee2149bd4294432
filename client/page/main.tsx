import './design/style.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { stayOnDrop } from './shell/stay-on-drop.ts';
import { openVaultWorker } from '../worker/open-vault-worker.ts';
import { createStore } from './state/store.ts';
import { createVaultLink } from './state/vault-link.ts';
import { chooseLanguage, speakLanguage } from './texts/languages.ts';

stayOnDrop();

async function begin(): Promise<void> {
  const root = document.querySelector('#root');
  if (root === null) throw new Error('index.html has no #root');
  // Nothing is painted before, or words of another language would flash.
  await speakLanguage(chooseLanguage(navigator.languages), document.documentElement);
  const store = createStore();
  createRoot(root).render(<App store={store} vault={createVaultLink(store, openVaultWorker)} />);
}

void begin();
