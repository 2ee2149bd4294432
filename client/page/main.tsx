import './design/styles/style.css';
import { openVaultWorker } from '../worker/open-vault-worker.ts';
import { stayOnDrop } from './shell/browser/stay-on-drop.ts';
import { startPage } from './start-page.tsx';

stayOnDrop();
void startPage(openVaultWorker);
