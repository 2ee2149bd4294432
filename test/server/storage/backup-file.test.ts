import { join } from 'node:path';
import { InsertQueryNode, type KyselyPlugin, ValuesNode } from 'kysely';
import { describe, expect, test } from 'vitest';
import { randomBytes } from '../../../crypto/primitives/bytes.ts';
import { restoreBackup, writeBackup } from '../../../server/storage/backup-file.ts';
import type { Database } from '../../../server/storage/database.ts';
import { hashBytes } from '../../../server/vault/parse-batch.ts';
import { databaseKinds, openTestDatabase } from '../../parts/relay-database.ts';
import { makeTemporaryFolder } from '../../parts/temporary-folder.ts';
import { makeAccount, newId, write } from '../../parts/vault-device.ts';

const mebibyte = 2 ** 20;
const largeItems = 20;
const smallItems = 450;

type Insert = { readonly rows: number; readonly length: number };

/** The same database, with every INSERT of it noted: its rows, and the bytes in them. */
function watchInserts(database: Database): { readonly watched: Database; readonly inserts: Insert[] } {
  const inserts: Insert[] = [];
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      if (InsertQueryNode.is(node) && node.values !== undefined && ValuesNode.is(node.values)) {
        const cells = node.values.values.flatMap((row): readonly unknown[] => row.values);
        const length = cells.reduce<number>((sum, cell) => sum + (cell instanceof Uint8Array ? cell.length : 0), 0);
        inserts.push({ rows: node.values.values.length, length });
      }
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const watched: Database = {
    ...database,
    write: (work) => database.write((trx) => work(trx.withPlugin(plugin))),
  };
  return { watched, inserts };
}

/** Rows of all items, bodies by their hash. */
async function itemsOf(database: Database) {
  const rows = await database.db.selectFrom('items').selectAll().orderBy('account_id').orderBy('id').execute();
  return rows.map(({ body, ...row }) => ({ ...row, body: body === null ? null : hashBytes(body) }));
}

describe.each(databaseKinds)('%s', (kind) => {
  test('restoreBackup: large items go in small statements, small ones many at once, and all come back', async () => {
    const [from, to] = [await openTestDatabase(kind), await openTestDatabase(kind)];
    await using folder = await makeTemporaryFolder('backup');
    const [one, other] = [await makeAccount(from), await makeAccount(from)];
    const large = () => write(newId(), 1, { body: Buffer.from(randomBytes(mebibyte)).toString('base64url') });
    await one.send(one.batch({ items: Array.from({ length: largeItems }, large) }));
    await other.send(other.batch({ items: Array.from({ length: smallItems }, () => write(newId())) }));
    const path = join(folder.path, 'a.backup');
    const written = await writeBackup(path, from, { createdAtMs: 1, serverKeys: 'keys' });

    const { watched, inserts } = watchInserts(to);
    expect(await restoreBackup(path, watched, () => undefined)).toBe(written);
    expect(await itemsOf(to)).toEqual(await itemsOf(from));
    expect(Math.max(...inserts.map(({ length }) => length))).toBeLessThan(8 * mebibyte);
    expect(Math.max(...inserts.map(({ rows }) => rows))).toBe(200);
  });
});
