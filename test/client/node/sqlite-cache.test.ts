import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteCache } from '../../../client/node/sqlite-cache.ts';
import { CiphertextCache } from '../../../client/vault/store/ciphertext-cache.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../parts/machine/temporary-folder.ts';

let folder: TemporaryFolder;
let path: string;
beforeEach(async () => {
  folder = await makeTemporaryFolder('sqlite-cache');
  path = join(folder.path, 'device', 'vault.sqlite');
});
afterEach(() => folder.remove());

const draft = (id: string, fill: number, length = 100) => ({ id, body: new Uint8Array(length).fill(fill) });

async function opened(): Promise<SqliteCache> {
  const cache = new SqliteCache(path);
  await cache.open();
  return cache;
}

/** Everything that lies in the folder. */
async function bytesOnDisk(): Promise<Buffer> {
  const names = await readdir(join(folder.path, 'device'));
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder.path, 'device', name)))));
}

describe('SqliteCache', () => {
  it('makes files that this user alone may read, its log too', async () => {
    const cache = await opened();
    await cache.write(['drafts'], (rows) => rows.put('drafts', [draft('a', 1)]));
    const names = await readdir(join(folder.path, 'device'));
    const modes = await Promise.all(
      ['', ...names].map(async (name) => [name, (await stat(join(folder.path, 'device', name))).mode & 0o777] as const),
    );
    cache.close();
    expect(Object.fromEntries(modes)).toEqual({
      '': 0o700,
      'vault.sqlite': 0o600,
      'vault.sqlite-wal': 0o600,
      'vault.sqlite-shm': 0o600,
    });
  });

  it('leaves no byte of a vault on the disk that was wiped, while it is open still', async () => {
    const cache = new CiphertextCache(await opened());
    const secret = Buffer.from('0123456789abcdef'.repeat(20));
    await cache.writeDraft('new', new Uint8Array(secret));
    await cache.putOperation({ id: 'turn/1', body: new Uint8Array(secret) });
    expect((await bytesOnDisk()).includes('0123456789abcdef')).toBe(true);
    await cache.wipeVault();
    expect((await bytesOnDisk()).includes('0123456789abcdef')).toBe(false);
    cache.close();
  });

  it('has all of a change or nothing of it after its process was killed in the middle', async () => {
    const before = await opened();
    await before.write(['drafts'], (rows) => rows.put('drafts', [draft('a', 1), draft('b', 1)]));
    before.close();
    // It says so between two rows of one change, and then stands still.
    const script = `
      import { SqliteCache } from ${JSON.stringify(resolve(import.meta.dirname, '../../../client/node/sqlite-cache.ts'))};
      const cache = new SqliteCache(${JSON.stringify(path)});
      const row = (id, fill) => ({ id, body: new Uint8Array(3 << 20).fill(fill) });
      await cache.write(['outbox'], (rows) => rows.put('outbox', [{ ...row('whole', 7), order: 1 }]));
      await cache.write(['drafts'], async (rows) => {
        await rows.put('drafts', [row('a', 2)]);
        console.log('between');
        setInterval(() => undefined, 1000);
        await new Promise(() => undefined);
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const after = await opened();
    expect(await after.get('drafts', 'a')).toEqual(draft('a', 1));
    expect(await after.get('drafts', 'b')).toEqual(draft('b', 1));
    expect(await after.get('outbox', 'whole')).toEqual({ ...draft('whole', 7, 3 << 20), order: 1 });
    after.close();
  });

  it('close: leaves nothing open of a file that another process held as it was opened', async () => {
    await mkdir(join(folder.path, 'device'));
    const other = new DatabaseSync(path);
    other.exec('begin exclusive');
    const cache = new SqliteCache(path);
    const opening = cache.open();
    // The file is held, so that it waits.
    await new Promise((resolve) => setImmediate(resolve));
    cache.close();
    other.exec('rollback');
    other.close();
    await expect(opening).rejects.toMatchObject({ code: 'storage-unavailable' });
    // The last connection to a database takes its log away.
    expect(await readdir(join(folder.path, 'device'))).toEqual(['vault.sqlite']);
  });

  it('does not touch the file of a later build', async () => {
    (await opened()).close();
    const later = new DatabaseSync(path);
    later.exec('pragma user_version = 2');
    later.close();
    await expect(new SqliteCache(path).open()).rejects.toMatchObject({ code: 'storage-unavailable' });
  });

  it('says that there is no storage where the file is none of a database, and reads a damaged row as one without fields', async () => {
    const cache = await opened();
    await cache.write(['drafts'], (rows) => rows.put('drafts', [draft('a', 1), draft('b', 2)]));
    const other = new DatabaseSync(path);
    other.exec("update drafts set fields = '{' where key = 'a'");
    other.close();
    expect(await cache.get('drafts', 'a')).toEqual({ body: draft('a', 1).body });
    expect(await cache.get('drafts', 'b')).toEqual(draft('b', 2));
    cache.close();
    const broken = new SqliteCache(resolve(import.meta.filename));
    await expect(broken.get('drafts', 'a')).rejects.toMatchObject({ code: 'storage-unavailable' });
  });
});
