import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { copyProject } from '../../parts/machine/project-copy.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

/** SECURITY.md, "Verifying a build", asks people to do this: two builds of the same sources are the same files. */
it('the client, built in another folder, is the same byte for byte', async () => {
  await using folder = await makeTemporaryFolder('second-build');
  copyProject(folder.path);
  execFileSync(process.execPath, ['client/build.ts'], { cwd: folder.path, stdio: 'ignore' });
  const second = hashesOf(join(folder.path, 'client/dist'));
  const first = hashesOf(resolve('client/dist'));
  expect(Object.keys(second).length).toBeGreaterThan(20);
  // Ours may hold chunks of the build before for open tabs.
  expect(first).toMatchObject(second);
});

function hashesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length), createHash('sha256').update(readFileSync(path)).digest('hex')];
    }),
  );
}
