import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { DeviceFolder } from '../../../client/node/device-folder.ts';
import { createVault } from '../../../client/vault/create-vault.ts';
import { developmentPolicy } from '../../parts/evidence/development-policy.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../parts/machine/temporary-folder.ts';
import { inventPerson } from '../../parts/users/person.ts';
import { DeviceLab } from '../../parts/users/vaults/device-lab.ts';
import { VaultTab } from '../../parts/users/vaults/vault-tab.ts';

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open({ worker: false });
});
afterAll(() => lab[Symbol.asyncDispose]());

let folder: TemporaryFolder;
let device: DeviceFolder;
/** Replaces the relay's answer; null: nothing is in between. */
let instead: (() => Response) | null;
beforeEach(async () => {
  folder = await makeTemporaryFolder('device-sign-out');
  device = new DeviceFolder(folder.path);
  instead = null;
});
afterEach(async () => {
  device.release();
  await folder.remove();
});

async function openTab(): Promise<VaultTab> {
  const tab = new VaultTab((onEnd) => {
    const dependencies = device.dependencies({ origin: lab.origin, policy: developmentPolicy, onEnd });
    return createVault({
      ...dependencies,
      fetch: async (input, init) => instead?.() ?? dependencies.fetch(input, init),
    });
  });
  await tab.start();
  return tab;
}

async function signedUp(): Promise<VaultTab> {
  const tab = await openTab();
  await tab.vault.beginSignUp(inventPerson());
  await tab.vault.finishSignUp();
  return tab;
}

/** Tells if the device keeps a token that renews its session, and if it knows that it was signed in before. */
async function kept(): Promise<{ refresh: boolean; device: boolean }> {
  const file = JSON.parse(await readFile(join(folder.path, 'session.json'), 'utf8')) as Record<string, unknown>;
  return { refresh: file['refresh'] !== null, device: file['device'] !== null };
}

it('sign-out: the device forgets the token, and not that it was signed in before', async () => {
  const tab = await signedUp();
  const before = await kept();
  await tab.vault.signOut();
  expect([before.refresh, (await kept()).refresh]).toEqual([true, false]);
  expect((await kept()).device).toBe(before.device);
});

it('sign-out without a way to the relay: the token stays until the relay was told, at the next start', async () => {
  const tab = await signedUp();
  instead = () => {
    throw new TypeError('fetch failed');
  };
  await tab.vault.signOut();
  expect([tab.status, (await kept()).refresh]).toEqual(['signed-out', true]);
  instead = null;
  const next = await openTab();
  expect(next.status).toBe('signed-out');
  await expect.poll(async () => (await kept()).refresh).toBe(false);
  await next.vault.lock();
});

it('a session that the relay ended: the device forgets its token, although the relay did not take it back', async () => {
  const tab = await signedUp();
  instead = () => Response.json({ error: 'session-ended' }, { status: 401 });
  await tab.vault.relayView({ conversationId: 'AAAAAAAAAAAAAAAAAAAAAA' }).catch(() => undefined);
  await tab.until(() => tab.status === 'signed-out');
  await expect.poll(async () => (await kept()).refresh).toBe(false);
});

it('a second vault on the device: hears that the first has signed out', async () => {
  const tab = await signedUp();
  const other = await openTab();
  expect(other.status).toBe('locked');
  await tab.vault.signOut();
  await other.until(() => other.status === 'signed-out');
  await other.vault.lock();
});
