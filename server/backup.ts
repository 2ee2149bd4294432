import { resolve } from 'node:path';
import { readKeptKeys } from './accounts/keys/backed-up-keys.ts';
import { requireKeysOf } from './accounts/keys/load-server-keys.ts';
import { loadEnvironmentFile } from '../process/environment-file.ts';
import { runCommand } from './launch/run-command.ts';
import { readSettings } from './settings.ts';
import { StartError } from '../process/start-error.ts';
import { writeBackup } from './storage/backup/backup-file.ts';
import { openPostgres } from './storage/postgres/postgres.ts';
import { patientDeadlines } from './storage/postgres/postgres-pool.ts';
import { openSqliteSnapshot } from './storage/backup/snapshot-sqlite.ts';

process.umask(0o077);

/** `npm run backup -- FILE`: database and keys in one file, while the relay runs. */
await runCommand(async (say) => {
  const [name, ...rest] = process.argv.slice(2);
  if (name === undefined || rest.length > 0) throw new StartError('Say where to: npm run backup -- FILE');
  const path = resolve(name);
  loadEnvironmentFile();
  const settings = readSettings(process.env);
  const serverKeys = readKeptKeys(settings);
  const database =
    settings.postgres === null
      ? await openSqliteSnapshot(settings.dataFolder, path)
      : await openPostgres(settings.postgres, { migrate: false, deadlines: patientDeadlines });
  try {
    await requireKeysOf(database, serverKeys);
    const rows = await writeBackup(path, database, { createdAtMs: Date.now(), serverKeys });
    say(`${path}: ${rows} rows and the server keys. Keep it as you would keep the keys.`);
  } finally {
    await database.close();
  }
});
