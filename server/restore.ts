import { resolve } from 'node:path';
import { acceptBackedUpKeys } from './accounts/keys/backed-up-keys.ts';
import { hasKeysOf } from './accounts/keys/load-server-keys.ts';
import { loadEnvironmentFile } from '../process/environment-file.ts';
import { checkFolderIsWritable } from './launch/preflight.ts';
import { runCommand } from './launch/run-command.ts';
import { readSettings } from './settings.ts';
import { StartError } from '../process/start-error.ts';
import { readBackupHeader, restoreBackup } from './storage/backup/backup-file.ts';
import { openDatabase } from './storage/open-database.ts';
import { patientDeadlines } from './storage/postgres/postgres-pool.ts';
import { troubleOf } from './storage/trouble/storage-trouble.ts';

process.umask(0o077);

/** `npm run restore -- FILE`: into an empty data folder or database. */
await runCommand(async (say) => {
  const [name, ...rest] = process.argv.slice(2);
  if (name === undefined || rest.length > 0) throw new StartError('Say which: npm run restore -- FILE');
  const path = resolve(name);
  loadEnvironmentFile();
  const settings = readSettings(process.env);
  checkFolderIsWritable(settings.dataFolder);
  const database = await openDatabase(settings, patientDeadlines);
  try {
    const { serverKeys } = await readBackupHeader(path);
    const keepKeys = acceptBackedUpKeys(settings, serverKeys);
    // A restore that was killed behind its commit, or an installation whose keys were lost.
    if (keepKeys !== null && (await hasKeysOf(database, serverKeys))) {
      keepKeys();
      return say(`${path}: its server keys are back beside their database, whose rows stay as they are. Start Sotto.`);
    }
    const rows = await restoreBackup(path, database).catch((error: unknown) => {
      if (troubleOf(error) !== 'full') throw error;
      throw new StartError('There is no room for the database: nothing was restored.');
    });
    keepKeys?.();
    say(`${path}: ${rows} rows restored. Start Sotto as before; everybody signs in again.`);
  } finally {
    await database.close();
  }
});
