import '../../../../client/page/design/styles/style.css';
import { stayOnDrop } from '../../../../client/page/shell/browser/stay-on-drop.ts';
import { startPage } from '../../../../client/page/start-page.tsx';
import { withCommands } from '../../../../client/vault/api/open-vault.ts';
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
void startPage(() => withCommands(window.vault));
