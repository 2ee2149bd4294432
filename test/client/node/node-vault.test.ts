import { chmod, chown, mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeviceFolder } from '../../../client/node/device-folder.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';
import { DeviceLab } from '../../parts/users/vaults/device-lab.ts';
import type { NodeVaultReport, NodeVaultTask } from '../../parts/users/vaults/node-vault.ts';
import { runCommand } from '../../running/run-command.ts';
import { inventPerson } from '../../parts/users/person.ts';

const projectFolder = resolve(import.meta.dirname, '../../..');

let lab: DeviceLab;
beforeAll(async () => {
  lab = await DeviceLab.open();
});
afterAll(() => lab[Symbol.asyncDispose]());

/** A process of its own that opens the vault of a folder. */
async function runDevice(task: NodeVaultTask): Promise<NodeVaultReport> {
  const command = ['node', 'test/parts/users/vaults/node-vault.ts', JSON.stringify(task)];
  const { exitCode, output } = await runCommand(command, { cwd: projectFolder, timeoutMs: 150_000, output: 'collect' });
  const report = output.split('\n').find((line) => line.startsWith('{'));
  if (exitCode !== 0 || report === undefined) throw new Error(output);
  return JSON.parse(report) as NodeVaultReport;
}

it('a vault in plain Node: signs up and asks, another process reads all of it, and a third what lies in the folder alone', async () => {
  await using folder = await makeTemporaryFolder('node-vault');
  const device = join(folder.path, 'device');
  const shared = { folder: device, origin: lab.origin, person: inventPerson() };
  lab.upstream.answerWith({ tokens: ['In a ', 'low voice.'] });
  const first = await runDevice({ ...shared, question: 'How?' });
  expect(first).toMatchObject({ status: 'signed-out', texts: ['How?', 'In a low voice.'] });
  expect(first.syncs[0]).toMatch(/afterCounter=0&/);
  // It keeps no key: the password opens it, and the session goes on with the token that it kept.
  const second = await runDevice({ ...shared, question: null });
  expect(second).toMatchObject({ status: 'locked', texts: ['How?', 'In a low voice.'] });
  const third = await runDevice({ ...shared, question: null, withoutItems: true });
  expect(third.status).toBe('locked');
  expect(third.texts[0]).toBe('How?');
});

it('DeviceFolder: belongs to one process at a time', async () => {
  await using folder = await makeTemporaryFolder('device-folder');
  const held = new DeviceFolder(folder.path);
  const script = `import { DeviceFolder } from './client/node/device-folder.ts';
    try { new DeviceFolder(${JSON.stringify(folder.path)}).release(); console.log('{"had":true}'); }
    catch (error) { console.log(JSON.stringify({ code: error.code })); }`;
  const open = async () => {
    const command = ['node', '--input-type=module', '-e', script];
    const { output } = await runCommand(command, { cwd: projectFolder, timeoutMs: 60_000, output: 'collect' });
    return JSON.parse(output) as unknown;
  };
  expect(await open()).toEqual({ code: 'storage-unavailable' });
  held.release();
  expect(await open()).toEqual({ had: true });
});

type Change = readonly [name: string, change: (path: string) => Promise<void>];
const changes: readonly Change[] = [
  ['that others may write into', (path) => chmod(path, 0o722)],
  ['of another user', (path) => chown(path, 12_345, 12_345)],
  ['that is a file', (path) => rmdir(path).then(() => writeFile(path, ''))],
];
// Only root may give a folder away.
const possible = changes.filter(([name]) => process.getuid?.() === 0 || name !== 'of another user');

it.each(possible)('DeviceFolder: refuses a folder %s', async (_name, change) => {
  await using folder = await makeTemporaryFolder('device-folder');
  const path = join(folder.path, 'device');
  await mkdir(path, { mode: 0o755 });
  new DeviceFolder(path).release();
  await rm(join(path, 'lock.sqlite'));
  await change(path);
  expect(() => new DeviceFolder(path)).toThrow('storage-unavailable');
});
