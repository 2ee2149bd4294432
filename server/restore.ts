import { resolve } from 'node:path';
import { acceptBackedUpKeys } from './accounts/backed-up-keys.ts';
import { checkFolderIsWritable, loadEnvironmentFile } from './launch/preflight.ts';
import { runCommand } from './launch/run-command.ts';
import { readSettings } from './settings.ts';
import { StartError } from './start-error.ts';
import { restoreBackup } from './storage/backup-file.ts';
import { openDatabase } from './storage/open-database.ts';
import { troubleOf } from './storage/storage-trouble.ts';

process.umask(0o077);

/** `npm run restore -- FILE`: into an empty data folder or database. */
await runCommand(async (say) => {
  const [name, ...rest] = process.argv.slice(2);
  if (name === undefined || rest.length > 0) throw new StartError('Say which: npm run restore -- FILE');
  const path = resolve(name);
  loadEnvironmentFile();
  const settings = readSettings(process.env);
  checkFolderIsWritable(settings.dataFolder);
  const database = await openDatabase(settings);
  try {
    let keepKeys = () => undefined as void;
    const rows = await restoreBackup(path, database, (serverKeys) => {
      keepKeys = acceptBackedUpKeys(settings, serverKeys);
    }).catch((error: unknown) => {
      if (troubleOf(error) !== 'full') throw error;
      throw new StartError('There is no room for the database: nothing was restored.');
    });
    keepKeys();
    say(`${path}: ${rows} rows restored. Start Sotto as before; everybody signs in again.`);
  } finally {
    await database.close();
  }
});
