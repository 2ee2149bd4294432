import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { parseCheckpoint } from '../../../crypto/evidence/modal/checkpoint.ts';
import { PublicLog } from '../../../registrar/public-log/public-log.ts';
import { generateRegistrarKeys, parseRegistrarKeys } from '../../../registrar/registrar-keys.ts';
import { StartError } from '../../../process/start-error.ts';
import { RegistrarDatabase } from '../../../registrar/storage/registrar-database.ts';
import { checkpointText, leafHash, paperKeyOfSeed, signNote, treeHash } from '../../parts/evidence/modal/paper-log.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

const origin = 'registrar.test/log-1';
const keys = parseRegistrarKeys(generateRegistrarKeys());

/** A log that went another way would have signed this. */
const otherRoot = signNote(
  checkpointText(origin, 5, Buffer.alloc(32)),
  origin,
  paperKeyOfSeed(keys.log.secretKey.expose()),
);

function open(folder: string): { log: PublicLog; database: RegistrarDatabase } {
  const { log: key, statement } = keys;
  const database = RegistrarDatabase.open(folder, {
    origin,
    publicKey: key.publicKey,
    statementPublicKey: statement.publicKey,
  });
  try {
    return { database, log: new PublicLog({ database, origin, key }) };
  } catch (error) {
    database.close();
    throw error;
  }
}

async function folderOf(entries: number): Promise<string> {
  const folder = await makeTemporaryFolder('public-log');
  onTestFinished(() => folder.remove());
  const { log, database } = open(folder.path);
  for (let place = 0; place < entries; place++) database.transaction(() => log.append(Buffer.from(`entry ${place}`)));
  database.close();
  return folder.path;
}

test('each entry signs one more size, and its proof is for that very checkpoint', async () => {
  const { log, database } = open(await folderOf(0));
  expect(parseCheckpoint(log.last().note)).toMatchObject({ origin, size: 0 });
  const leaves: Buffer[] = [];
  for (let place = 0; place < 5; place++) {
    const entry = Buffer.from(`entry ${place}`);
    leaves.push(leafHash(entry));
    const logged = database.transaction(() => log.append(entry));
    expect(logged).toMatchObject({ leafIndex: place, size: place + 1, checkpoint: log.last().note });
    expect(Buffer.from(parseCheckpoint(logged.checkpoint).rootHash)).toEqual(treeHash(leaves));
  }
  // The promise not to fork is the table's own.
  expect(() => database.run('insert into checkpoint (size, note) values (3, ?)', 'another')).toThrow('UNIQUE');
  database.close();
});

test('it goes on where it was', async () => {
  const folder = await folderOf(3);
  const { log, database } = open(folder);
  expect(log.last().size).toBe(3);
  expect(database.transaction(() => log.append(Buffer.from('more'))).leafIndex).toBe(3);
  database.close();
});

test.each([
  ['a changed leaf hash', `update node_hash set hash = zeroblob(32) where height = 0 and place = 0`],
  ['a changed inner hash', `update node_hash set hash = zeroblob(32) where height = 1 and place = 0`],
  ['a hash that is missing', `delete from node_hash where height = 0 and place = 1`],
  ['a hash too many', `insert into node_hash values (8, 0, zeroblob(32))`],
  ['a changed entry', `update log_entry set body = zeroblob(300) where place = 0`],
  [
    'two entries changed about',
    `update log_entry set place = 1 - place - 10 where place < 2; update log_entry set place = place + 10 where place < 0`,
  ],
  ['an entry that is missing', `delete from log_entry where place = 1`],
  ['the last entry missing', `delete from log_entry where place = 4`],
  ['an entry too many', `insert into log_entry values (5, zeroblob(3))`],
  ['the last checkpoint missing', `delete from checkpoint where size = 5`],
  [
    'a checkpoint of another size',
    `update checkpoint set note = (select note from checkpoint where size = 4) where size = 5`,
  ],
  ['a signed checkpoint of another root', `update checkpoint set note = '${otherRoot}' where size = 5`],
  ['a checkpoint of nobody', `update checkpoint set note = replace(note, 'registrar.test', 'registrar.evil')`],
])('a data folder with %s is not signed on', async (_name, damage) => {
  const folder = await folderOf(5);
  const path = join(folder, 'registrar.sqlite');
  copyFileSync(path, `${path}.whole`);
  const file = new DatabaseSync(path);
  file.exec(damage);
  file.close();
  expect(() => open(folder)).toThrow(StartError);
  expect(() => open(folder)).toThrow('The log is damaged');
  copyFileSync(`${path}.whole`, path);
  open(folder).database.close();
});
