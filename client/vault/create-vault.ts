import type { VaultApi } from './api/vault-api.ts';
import { toVaultFailure } from './failures/vault-error.ts';
import type { VaultParts } from './vault-parts.ts';
import { Vault } from './vault.ts';

/** The vault's face. Every call rejects with a plain `VaultFailure`: an Error would lose its code between threads. */
export function createVault(parts: VaultParts): VaultApi {
  const vault = new Vault(parts);
  const session = <T>(work: () => T | Promise<T>) => {
    // Also for the scripts that it needs, which the browser fetches by itself.
    const over = vault.connection.watch.begin();
    return refuseWithFailure(vault.serially(async () => work())).finally(() => over(null));
  };
  const open = <T>(work: () => T | Promise<T>) => refuseWithFailure((async () => work())());
  return {
    start: (onEvent) => session(() => vault.start(onEvent)),
    noteNetwork: (input) => open(() => vault.connection.note(input)),
    beginSignUp: (input) => session(() => vault.beginSignUp(input)),
    finishSignUp: () => session(() => vault.finishSignUp()),
    cancelSignUp: () => session(() => vault.cancelSignUp()),
    signIn: (input) => session(() => vault.signIn(input)),
    signInWithPhrase: (input) => session(() => vault.signInWithPhrase(input)),
    unlock: ({ password }) => session(() => vault.unlock(password)),
    changePassword: ({ newPassword, proof }) => session(() => vault.changePassword(newPassword, proof)),
    lock: () => session(() => vault.lock()),
    signOut: () => session(() => vault.signOut()),
    openConversation: ({ conversationId }) => open(() => vault.opened.openConversation(conversationId)),
    closeConversation: () => open(() => vault.opened.closeConversation()),
    renameConversation: ({ conversationId, title }) => open(() => vault.opened.commands.rename(conversationId, title)),
    deleteConversation: ({ conversationId }) => open(() => vault.opened.delete(conversationId)),
    send: ({ conversationId, text }) =>
      open(async () => {
        const sent = await vault.opened.send(conversationId, text);
        return { conversationId: sent.conversationId, turnId: sent.turnId };
      }),
    stop: ({ turnId }) => open(() => vault.opened.stop(turnId)),
    retry: ({ conversationId, turnId }) => open(() => vault.opened.retry(conversationId, turnId)),
    readDraft: ({ conversationId }) => open(() => vault.opened.drafts.read(conversationId)),
    writeDraft: ({ conversationId, text, returned = [] }) =>
      open(() => vault.opened.drafts.write(conversationId, text, returned)),
    relayView: ({ conversationId }) => open(() => vault.opened.relayView(conversationId)),
    relayBytes: ({ id }) => open(() => vault.opened.relayBytes(id)),
    setTheme: ({ theme }) => open(() => vault.opened.commands.setTheme(theme)),
    setMinimum: ({ level }) => open(() => vault.opened.protection.setMinimum(level)),
    setConversationMinimum: ({ conversationId, level }) =>
      open(() => vault.opened.protection.setConversationMinimum(conversationId, level)),
    readVerification: ({ turnId }) => open(() => vault.opened.protection.readVerification(turnId)),
  };
}

function refuseWithFailure<T>(work: Promise<T>): Promise<T> {
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an Error would lose its code on the way to the page.
  return work.catch((error: unknown) => Promise.reject(toVaultFailure(error)));
}
