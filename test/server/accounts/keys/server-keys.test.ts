import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readKeptKeys } from '../../../../server/accounts/keys/backed-up-keys.ts';
import { loadServerKeys, type KeyPlace } from '../../../../server/accounts/keys/load-server-keys.ts';
import { generateServerKeys, parseServerKeys } from '../../../../server/accounts/keys/server-keys.ts';
import { StartError } from '../../../../process/start-error.ts';
import { databaseKinds, openTestDatabase } from '../../../parts/storage/relay-database.ts';
import { mountSmallDisk, noSmallDisks, withoutSmallDisks } from '../../../parts/machine/small-disk.ts';
import { makeTemporaryFolder } from '../../../parts/machine/temporary-folder.ts';

async function place(changes: Partial<KeyPlace> = {}): Promise<KeyPlace & { readonly file: string }> {
  const folder = await makeTemporaryFolder('keys');
  onTestFinished(() => folder.remove());
  const usual = { serverKeys: null, serverKeysFile: null, dataFolder: folder.path, postgres: null, host: '127.0.0.1' };
  return { ...usual, ...changes, file: join(folder.path, 'server-keys') };
}

const url = { url: 'postgres://localhost/x', ca: null };

describe.each(databaseKinds)('loadServerKeys on %s', (kind) => {
  test('makes keys once, readable by their user alone, and finds the same again', async () => {
    const database = await openTestDatabase(kind);
    const here = await place();
    const made = await loadServerKeys(here, database);
    expect((await stat(here.file)).mode & 0o777).toBe(0o600);
    expect((await loadServerKeys(here, database)).fingerprint).toBe(made.fingerprint);
    const text = await readFile(here.file, 'utf8');
    expect((await loadServerKeys(await place({ serverKeys: text }), database)).fingerprint).toBe(made.fingerprint);
    expect((await loadServerKeys(await place({ serverKeysFile: here.file }), database)).fingerprint).toBe(
      made.fingerprint,
    );
  });

  test('refuses keys of another database, and never makes new ones beside accounts', async () => {
    const database = await openTestDatabase(kind);
    const here = await place();
    await loadServerKeys(here, database);
    const other = await generateServerKeys();
    const foreign = loadServerKeys(await place({ serverKeys: other }), database);
    await expect(foreign).rejects.toThrow('These server keys belong to another database');
    const kept = await readFile(here.file, 'utf8');
    await rm(here.file);
    await expect(loadServerKeys(here, database)).rejects.toThrow('The server keys of this database are missing');
    await writeFile(here.file, kept, { mode: 0o600 });
    await loadServerKeys(here, database);
  });

  test('two relays that start at once on a new database agree on one set', async () => {
    const database = await openTestDatabase(kind);
    const outcomes = await Promise.allSettled([
      loadServerKeys(await place({ serverKeys: await generateServerKeys() }), database),
      loadServerKeys(await place({ serverKeys: await generateServerKeys() }), database),
    ]);
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

test('loadServerKeys: PostgreSQL on a public host needs keys from outside; on loopback it does not', async () => {
  const database = await openTestDatabase('sqlite');
  const onPublic = await place({ postgres: url, host: '0.0.0.0' });
  await expect(loadServerKeys(onPublic, database)).rejects.toThrow('needs SERVER_KEYS or SERVER_KEYS_FILE');
  await loadServerKeys({ ...onPublic, serverKeys: await generateServerKeys() }, database);
  await loadServerKeys(await place({ postgres: url }), await openTestDatabase('sqlite'));
});

test('loadServerKeys: refuses a file that others can read, until it is private', async () => {
  const database = await openTestDatabase('sqlite');
  const here = await place();
  await writeFile(here.file, await generateServerKeys());
  await chmod(here.file, 0o644);
  await expect(loadServerKeys(here, database)).rejects.toThrow('can be read by others');
  await chmod(here.file, 0o600);
  await loadServerKeys(here, database);
});

test.each([
  ['a folder', (file: string) => mkdir(file, { mode: 0o700 })],
  ['a link to a disk that is not there', (file: string) => symlink('/nowhere/keys', file)],
])(
  'loadServerKeys, readKeptKeys: %s in the place of the keys is one sentence, and makes no new ones',
  async (_what, put) => {
    const database = await openTestDatabase('sqlite');
    const here = await place();
    await put(here.file);
    const complaint = `The server keys at ${here.file} cannot be read: it must be a file of the user who runs Sotto.`;
    await expect(loadServerKeys(here, database)).rejects.toThrow(new StartError(complaint));
    expect(() => readKeptKeys(here)).toThrow(new StartError(complaint));
    await rm(here.file, { recursive: true });
    const { fingerprint } = await loadServerKeys(here, database);
    expect(parseServerKeys(readKeptKeys(here)).fingerprint).toBe(fingerprint);
  },
);

test.skipIf(noSmallDisks !== null)(`loadServerKeys: no room for keys is one sentence${withoutSmallDisks}`, async () => {
  const dataFolder = mountSmallDisk(4_096);
  await writeFile(join(dataFolder, 'full'), new Uint8Array(4_096));
  const file = join(dataFolder, 'server-keys');
  const database = await openTestDatabase('sqlite');
  await expect(loadServerKeys(await place({ dataFolder }), database)).rejects.toThrow(
    new StartError(`The server keys cannot be written to ${file}: look at its folder and the room on its disk.`),
  );
  await rm(join(dataFolder, 'full'));
  await loadServerKeys(await place({ dataFolder }), database);
  expect(parseServerKeys(await readFile(file, 'utf8'))).toBeDefined();
});

test('parseServerKeys: refuses everything but a whole line, and the keys do not print themselves', async () => {
  const text = await generateServerKeys();
  const keys = parseServerKeys(`${text}\n`);
  for (const broken of ['', 'sotto-keys-1.', text.slice(0, -2), text.replace('-1.', '-2.'), `${text}AAAA`]) {
    expect(() => parseServerKeys(broken)).toThrow('The server keys are not whole');
  }
  const { setup } = keys.newestSetup;
  for (const printed of [inspect(keys, { depth: 9, showHidden: true }), JSON.stringify(keys), `${keys.toJSON()}`]) {
    expect(printed).not.toContain(setup);
  }
});

test('hashName, inventUserId: depend on the pepper, and an invented user id has the shape of a real one', async () => {
  const [one, two] = [parseServerKeys(await generateServerKeys()), parseServerKeys(await generateServerKeys())];
  const tag = new Uint8Array(32).fill(7);
  expect(one.hashName(tag)).toEqual(one.hashName(tag));
  expect(one.hashName(tag)).not.toEqual(two.hashName(tag));
  expect(one.inventUserId(tag)).not.toBe(two.inventUserId(tag));
  expect(one.inventUserId(tag)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
