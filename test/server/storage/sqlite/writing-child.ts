import { openSqlite } from '../../../../server/storage/sqlite/sqlite.ts';

/* Writes rows for ever and says each number once it is acknowledged, so that a test can kill it in the middle. */

const database = await openSqlite(process.argv[2] ?? '');
process.stdout.write('open\n');
for (let number = 0; ; number++) {
  const row = { name: `n${number}`, value: 'x'.repeat(200) };
  await database.write((trx) => trx.insertInto('metadata').values(row).execute());
  process.stdout.write(`${number}\n`);
}
