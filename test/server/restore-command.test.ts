import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { randomBytes } from '../../crypto/protocol/bytes/bytes.ts';
import { type KeyPlace, loadServerKeys } from '../../server/accounts/keys/load-server-keys.ts';
import { generateServerKeys } from '../../server/accounts/keys/server-keys.ts';
import { checkFolderIsWritable } from '../../server/launch/preflight.ts';
import { readBackupHeader } from '../../server/storage/backup/backup-file.ts';
import { usualDeadlines } from '../../server/storage/postgres/postgres-pool.ts';
import { openSqlite } from '../../server/storage/sqlite/sqlite.ts';
import { databaseKinds, openTestDatabase, returnToFirstTables } from '../parts/storage/relay-database.ts';
import { mountSmallDisk, noSmallDisks, withoutSmallDisks } from '../parts/machine/small-disk.ts';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';
import { makeAccount, newId, write } from '../parts/users/without-keys/vault-device.ts';

const run = promisify(execFile);
const mebibyte = 2 ** 20;

/** Runs a command as a self-hoster does whose files are readable for all unless somebody says otherwise. */
async function command(
  name: 'backup' | 'restore',
  file: string,
  dataFolder: string,
  preload = '',
  settings: Record<string, string> = {},
): Promise<string> {
  const script = Buffer.from(preload).toString('base64');
  const options = `--import "data:text/javascript;base64,${script}"`;
  const line = `umask 022; exec "${process.execPath}" ${options} "${resolve(`server/${name}.ts`)}" "${file}"`;
  const environment = { ...process.env, DATA_DIR: dataFolder, DATABASE_URL: '', ...settings };
  return run('sh', ['-c', line], { env: environment }).then(
    ({ stdout }) => stdout,
    (error: { stderr: string }) => error.stderr,
  );
}

/** Loaded before a command: kills it the moment it calls this on a file of server keys. */
function killedAt(call: 'openSync' | 'linkSync'): string {
  return `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { ${call}: real } = fs;
    fs.${call} = (path, ...rest) => {
      if (String(path).endsWith('.part')) process.kill(process.pid, 'SIGKILL');
      return real(path, ...rest);
    };
    syncBuiltinESMExports();`;
}

/** Loaded before a command: there is no room for a file of server keys. */
const withoutRoomForKeys = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  fs.linkSync = fs.renameSync = () => {
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  };
  syncBuiltinESMExports();`;

const keyPlaceOf = (folder: string): KeyPlace => ({
  serverKeys: null,
  serverKeysFile: null,
  dataFolder: folder,
  postgres: null,
  host: '::1',
});

/** Tells if the relay finds keys that open the database of this folder; otherwise gives its complaint. */
async function keysIn(folder: string): Promise<string> {
  const database = await openSqlite(folder);
  try {
    await loadServerKeys(keyPlaceOf(folder), database);
    return 'right';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await database.close();
  }
}

/** An installation with an account and keys of its own. */
async function install(folder: string, mebibytes = 0): Promise<void> {
  mkdirSync(folder);
  const database = await openSqlite(folder);
  await loadServerKeys(keyPlaceOf(folder), database);
  const device = await makeAccount(database);
  const body = Buffer.from(randomBytes(mebibyte)).toString('base64url');
  const items = Array.from({ length: mebibytes }, () => write(newId(), 1, { body }));
  if (mebibytes > 0) await device.send(device.batch({ items }));
  await database.close();
}

test.each(databaseKinds)('backup on %s: a database of an earlier version is read as it is', async (kind) => {
  const database = await openTestDatabase(kind);
  await makeAccount(database);
  await returnToFirstTables(database.db);
  const folder = await makeTemporaryFolder('backup');
  onTestFinished(() => folder.remove());
  const path = join(folder.path, 'old.backup');
  const { dataFolder, postgres } = database.place;
  const settings = { SERVER_KEYS: await generateServerKeys(), DATABASE_URL: postgres?.url ?? '' };
  expect(await command('backup', path, dataFolder, '', settings)).toContain('rows and the server keys');
  expect((await readBackupHeader(path)).schema).toBe(1);
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(database.db);
  expect(rows).toEqual([{ name: '0001-first-tables' }]);
});

/** Loaded before a command: once, this call on a file takes longer than the relay lets a transaction stand idle. */
function slowDisk(call: 'read' | 'write', after: number): string {
  return `
    import fs from 'node:fs';
    const { ${call}: real } = fs;
    let calls = 0;
    fs.${call} = (...rest) => (++calls === ${after} ? setTimeout(real, ${usualDeadlines.idleInTransactionMs + 2_000}, ...rest) : real(...rest));`;
}

test('postgres: backup and restore with a disk that stands still for a while', async () => {
  const [before, after] = [await openTestDatabase('postgres'), await openTestDatabase('postgres')];
  const device = await makeAccount(before);
  const bodyOf = () => Buffer.from(randomBytes(65_536)).toString('base64url');
  await device.send(device.batch({ items: Array.from({ length: 40 }, () => write(newId(), 1, { body: bodyOf() })) }));
  const folder = await makeTemporaryFolder('backup');
  onTestFinished(() => folder.remove());
  const path = join(folder.path, 'slow.backup');
  const serverKeys = await generateServerKeys();
  const settingsOf = ({ place }: typeof before) => ({
    SERVER_KEYS: serverKeys,
    DATABASE_URL: place.postgres?.url ?? '',
  });
  expect(await command('backup', path, folder.path, slowDisk('write', 1), settingsOf(before))).toContain('rows and');
  expect(await command('restore', path, folder.path, slowDisk('read', 12), settingsOf(after))).toContain(
    'rows restored',
  );
  const count = await after.db.selectFrom('items').select('id').execute();
  expect(count).toHaveLength(40);
});

/** Loaded before a command: its disk takes nothing, and somebody ends it. */
function endedWhileWriting(signal: NodeJS.Signals): string {
  return `
    import fs from 'node:fs';
    fs.write = () => process.kill(process.pid, '${signal}');
    setInterval(() => undefined, 1_000);`;
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'backup: one that is ended by %s leaves neither a part nor a copy of the database',
  async (signal) => {
    const folder = await makeTemporaryFolder('backup');
    onTestFinished(() => folder.remove());
    const [data, to] = [join(folder.path, 'data'), join(folder.path, 'to')];
    await install(data, 1);
    mkdirSync(to);
    expect(await command('backup', join(to, 'a.backup'), data, endedWhileWriting(signal))).toBe('');
    expect(readdirSync(to)).toEqual([]);
    expect(await command('backup', join(to, 'a.backup'), data)).toContain('rows and the server keys');
    expect(readdirSync(to)).toEqual(['a.backup']);
  },
);

test('backup: keys of another database are refused before anything is written, its own are not', async () => {
  const folder = await makeTemporaryFolder('backup');
  onTestFinished(() => folder.remove());
  const at = (name: string) => join(folder.path, name);
  for (const name of ['one', 'other']) await install(at(name));
  const keys = (name: string) => ({ SERVER_KEYS: readFileSync(join(at(name), 'server-keys'), 'utf8').trim() });
  expect(await command('backup', at('one.backup'), at('one'), '', keys('other'))).toBe(
    'These server keys belong to another database: set SERVER_KEYS, SERVER_KEYS_FILE or DATA_DIR as its relay has them.\n',
  );
  expect(readdirSync(folder.path).sort()).toEqual(['one', 'other']);
  expect(await command('backup', at('one.backup'), at('one'), '', keys('one'))).toContain('rows and the server keys');
});

test('restore: one that fails keeps no other out, keys come with the database, and nobody else reads what it made', async () => {
  const folder = await makeTemporaryFolder('restore');
  onTestFinished(() => folder.remove());
  const at = (name: string) => join(folder.path, name);
  await install(at('one'));
  await install(at('other'));
  expect(await command('backup', at('one.backup'), at('one'))).toContain('rows and the server keys');
  expect(await command('backup', at('other.backup'), at('other'))).toContain('rows and the server keys');
  truncateSync(at('one.backup'), statSync(at('one.backup')).size - 40);

  expect(await command('restore', at('one.backup'), at('target'))).toMatch(/not a whole backup/);
  expect(existsSync(join(at('target'), 'server-keys'))).toBe(false);
  expect(await command('restore', at('other.backup'), at('target'))).toContain('rows restored');
  expect(readFileSync(join(at('target'), 'server-keys'), 'utf8').trim()).toBe(
    readFileSync(join(at('other'), 'server-keys'), 'utf8').trim(),
  );
  const open = readdirSync(at('target')).filter((name) => (statSync(join(at('target'), name)).mode & 0o077) !== 0);
  expect([open, statSync(at('target')).mode & 0o077, statSync(at('other.backup')).mode & 0o077]).toEqual([[], 0, 0]);
});

test.each(['openSync', 'linkSync'] as const)(
  'restore: one that is killed in %s of the keys, behind its commit, is made whole by the same command; another backup is refused',
  async (call) => {
    const folder = await makeTemporaryFolder('restore');
    onTestFinished(() => folder.remove());
    const at = (name: string) => join(folder.path, name);
    for (const name of ['one', 'other']) {
      await install(at(name));
      await command('backup', at(`${name}.backup`), at(name));
    }
    expect(await command('restore', at('one.backup'), at('target'), killedAt(call))).toBe('');
    expect(await keysIn(at('target'))).toMatch(/server keys of this database are missing: .* restore its backup again/);
    expect(await command('restore', at('other.backup'), at('target'))).toMatch(/not empty/);
    expect(existsSync(join(at('target'), 'server-keys'))).toBe(false);
    expect(await command('restore', at('one.backup'), at('target'))).toMatch(/its server keys are back/);
    expect(await keysIn(at('target'))).toBe('right');
    // With its keys it is an installation, and nothing is restored over one.
    expect(await command('restore', at('one.backup'), at('target'))).toMatch(/not empty/);
  },
);

test('restore: keys that cannot be written are said, and the same command puts them there', async () => {
  const folder = await makeTemporaryFolder('restore');
  onTestFinished(() => folder.remove());
  const at = (name: string) => join(folder.path, name);
  await install(at('one'));
  await command('backup', at('one.backup'), at('one'));
  expect(await command('restore', at('one.backup'), at('target'), withoutRoomForKeys)).toMatch(
    /^The database is restored, but its server keys cannot be written to .*: mend that and run the same command again\.\n$/,
  );
  expect(await command('restore', at('one.backup'), at('target'))).toMatch(/its server keys are back/);
  expect(await keysIn(at('target'))).toBe('right');
});

test('restore: keys of something else keep a backup out, its own do not', async () => {
  const folder = await makeTemporaryFolder('restore');
  onTestFinished(() => folder.remove());
  const at = (name: string) => join(folder.path, name);
  for (const name of ['one', 'other']) await install(at(name));
  await command('backup', at('one.backup'), at('one'));
  mkdirSync(at('target'), { mode: 0o700 });
  copyFileSync(join(at('other'), 'server-keys'), join(at('target'), 'server-keys'));
  expect(await command('restore', at('one.backup'), at('target'))).toMatch(/^Other server keys are here already/);
  copyFileSync(join(at('one'), 'server-keys'), join(at('target'), 'server-keys'));
  expect(await command('restore', at('one.backup'), at('target'))).toMatch(/rows restored/);
});

test.skipIf(noSmallDisks !== null)(
  `restore: a full disk is said, and nothing is restored${withoutSmallDisks}`,
  async () => {
    const folder = await makeTemporaryFolder('restore');
    onTestFinished(() => folder.remove());
    const at = (name: string) => join(folder.path, name);
    await install(at('one'), 3);
    await command('backup', at('one.backup'), at('one'));
    const disk = mountSmallDisk(2 * mebibyte);
    expect(await command('restore', at('one.backup'), disk)).toBe(
      'There is no room for the database: nothing was restored.\n',
    );
    expect(existsSync(join(disk, 'server-keys'))).toBe(false);
    expect(await command('restore', at('one.backup'), at('roomy'))).toMatch(/rows restored/);
  },
);

test('openSqlite: a lock that others could hold is theirs no more', async () => {
  const folder = await makeTemporaryFolder('lock');
  onTestFinished(() => folder.remove());
  await (await openSqlite(folder.path)).close();
  chmodSync(join(folder.path, 'lock.sqlite'), 0o644);
  await (await openSqlite(folder.path)).close();
  expect(statSync(join(folder.path, 'lock.sqlite')).mode & 0o777).toBe(0o600);
});

test.skipIf(process.platform !== 'linux')(
  'checkFolderIsWritable: a file system that makes no folders is said, not tried for ever',
  async () => {
    expect(() => checkFolderIsWritable('/proc/sotto/data')).toThrow('cannot be written: choose another with DATA_DIR');
    const folder = await makeTemporaryFolder('preflight');
    onTestFinished(() => folder.remove());
    checkFolderIsWritable(join(folder.path, 'a/b/c'));
    expect(statSync(join(folder.path, 'a/b/c')).mode & 0o777).toBe(0o700);
  },
);
