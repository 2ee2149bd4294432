import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { databaseFileName, openSqlite } from '../../../../server/storage/sqlite/sqlite.ts';
import { StartError } from '../../../../process/start-error.ts';
import { makeTemporaryFolder } from '../../../parts/machine/temporary-folder.ts';

/* Data folders in which nothing can be kept: one sentence for a person, whatever SQLite calls it. */

async function emptyFolder(): Promise<string> {
  const folder = await makeTemporaryFolder('folder');
  onTestFinished(() => folder.remove());
  return folder.path;
}

async function complaintOf(folder: string): Promise<unknown> {
  try {
    await (await openSqlite(folder)).close();
    return null;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return error.message;
  }
}

test('a database file that is none is said to be damaged; without it the folder can be used', async () => {
  const folder = await emptyFolder();
  await writeFile(join(folder, databaseFileName), 'no database '.repeat(1_000));
  expect(await complaintOf(folder)).toBe(
    `The data folder ${folder} holds a damaged sotto.sqlite: restore a backup into an empty folder.`,
  );
  await rm(join(folder, databaseFileName));
  expect(await complaintOf(folder)).toBeNull();
});

test('a lock file that is none is not taken for a damaged database, whose backup would be older than it', async () => {
  const folder = await emptyFolder();
  await writeFile(join(folder, 'lock.sqlite'), 'no database');
  const lock = join(folder, 'lock.sqlite');
  expect(await complaintOf(folder)).toBe(`The file ${lock} is damaged, and holds nothing: delete it and start again.`);
  await rm(lock);
  expect(await complaintOf(folder)).toBeNull();
});

/** A file system with this much room, where this user may mount one. */
async function mountSmall(size: string): Promise<string | null> {
  const outer = await makeTemporaryFolder('folder');
  const folder = join(outer.path, 'small');
  await mkdir(folder);
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]).status === 0;
  onTestFinished(async () => {
    // Nothing of a folder that could not be opened is held open.
    if (isMounted && spawnSync('umount', [folder]).status !== 0) throw new Error('The folder is still held open.');
    await outer.remove();
  });
  return isMounted ? folder : null;
}

const mayMount = process.platform === 'linux' && process.getuid?.() === 0;

test.skipIf(!mayMount)(
  `a full disk is said${mayMount ? '' : ' (skipped: only root may mount one)'}`,
  async (context) => {
    const [small, large] = [await mountSmall('64k'), await mountSmall('16m')];
    if (small === null || large === null) return context.skip();
    expect(await complaintOf(small)).toBe(
      `The data folder ${small} has no room: free some, or choose another with DATA_DIR.`,
    );
    expect(await complaintOf(large)).toBeNull();
  },
);
