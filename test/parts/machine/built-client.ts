import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

/** For vitest's `globalSetup`: the client is built once, before several test files start the product side by side. */
export function setup(): void {
  const { status, stderr } = spawnSync(process.execPath, [resolve('client/build.ts')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The client could not be built: ${stderr}`);
}
