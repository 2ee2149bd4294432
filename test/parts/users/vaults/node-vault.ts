// One device of Node as a process of its own: nothing of a browser is loaded. It does what its test asks and prints what came of it.
import { createVault } from '../../../../client/vault/create-vault.ts';
import { DeviceFolder } from '../../../../client/node/device-folder.ts';
import { developmentPolicy } from '../../evidence/development-policy.ts';
import type { Person } from '../person.ts';
import { VaultTab } from './vault-tab.ts';

export type NodeVaultTask = {
  readonly folder: string;
  readonly origin: string;
  readonly person: Person;
  readonly question: string | null;
  /** The relay gives no items: the question is read from the folder, and its reply may not come. */
  readonly withoutItems?: true;
};

export type NodeVaultReport = {
  /** When it was opened. */
  readonly status: string;
  readonly texts: readonly string[];
  /** Calls of the relay's items, each with the place after which it asked. */
  readonly syncs: readonly string[];
};

const task = JSON.parse(process.argv[2] ?? '') as NodeVaultTask;
const device = new DeviceFolder(task.folder);
const syncs: string[] = [];

function openTab(): VaultTab {
  return new VaultTab((onEnd) => {
    const dependencies = device.dependencies({ origin: task.origin, policy: developmentPolicy, onEnd });
    return createVault({
      ...dependencies,
      fetch: (input, init) => {
        const { pathname, search } = new URL(input as string);
        if (pathname === '/v1/items' && init?.method === 'GET') {
          syncs.push(search);
          if (task.withoutItems === true) return Promise.reject(new TypeError('Failed to fetch'));
        }
        return dependencies.fetch(input, init);
      },
    });
  });
}

const tab = openTab();
await tab.start();
const { status } = tab;
if (status === 'locked') {
  await tab.vault.unlock(task.person);
} else {
  await tab.vault.beginSignUp(task.person);
  await tab.vault.finishSignUp();
}
if (task.question !== null) {
  await tab.vault.openConversation({ conversationId: null });
  const { turnId } = await tab.ask(task.question);
  await tab.ended(turnId);
}
await tab.until(() => tab.conversations.length === 1);
const [conversation] = tab.conversations;
const conversationId = conversation?.id ?? '';
await tab.vault.openConversation({ conversationId });
const awaited = task.withoutItems === true ? 1 : 2;
await tab.until(() => tab.texts(conversationId).filter((text) => text !== '').length >= awaited);
const report: NodeVaultReport = { status, texts: tab.texts(conversationId), syncs };
console.log(JSON.stringify(report));
await tab.vault.lock();
device.release();
