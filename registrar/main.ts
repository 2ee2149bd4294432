import { loadEnvironmentFile } from '../process/environment-file.ts';
import { createLog, type Log } from '../process/event-log.ts';
import { StartError } from '../process/start-error.ts';
import { listen } from './http/listener.ts';
import { PublicLog } from './public-log/public-log.ts';
import { PackedTiles } from './http/packed-tiles.ts';
import { Publisher } from './public-log/publisher.ts';
import { readSettings, type Settings } from './settings.ts';
import { StatementDesk } from './statements/statement-desk.ts';
import { RegistrarDatabase } from './storage/registrar-database.ts';

/** Files that the registrar writes are for its own user alone. */
process.umask(0o077);

async function start(settings: Settings, log: Log): Promise<() => Promise<void>> {
  const { keys, logOrigin: origin } = settings;
  const database = RegistrarDatabase.open(settings.dataFolder, {
    origin,
    publicKey: keys.log.publicKey,
    statementPublicKey: keys.statement.publicKey,
  });
  try {
    const publicLog = new PublicLog({ database, origin, key: keys.log });
    const onFork = () => {
      // Somebody else has signed another root for this size: nothing that this process knows may be signed on.
      log.error('fork');
      process.exit(1);
    };
    const publisher = new Publisher({ commitUrl: settings.commitUrl, onFork, log });
    await publisher.publish(publicLog.last()).catch((error: unknown) => {
      log.error('start-failed', { error });
      throw new StartError('What REGISTRAR_COMMIT_URL names did not confirm the last checkpoint: start it first.');
    });
    const desk = new StatementDesk({ settings, database, log: publicLog, publisher });
    const listening = await listen({ desk, log: publicLog, publisher, packed: new PackedTiles() }, settings, log);
    if (settings.issuer.isTest) log.info('test-issuer', { advice: 'Tokens are NOT those of Modal.' });
    log.info('listening', { port: listening.port, size: publicLog.last().size });
    return async () => {
      await listening.close();
      database.close();
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function waitForStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
}

try {
  const stopAsked = waitForStop();
  loadEnvironmentFile();
  const log = createLog('info');
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      // In an unknown state nothing is signed any more; what was acknowledged is on the disk.
      log.error(event === 'uncaughtException' ? 'defect' : 'defect-promise', { error });
      process.exit(1);
    });
  }
  const stop = await start(readSettings(process.env), log);
  await stopAsked;
  // A call that hangs does not keep the registrar from going.
  await Promise.race([stop(), new Promise((resolve) => setTimeout(resolve, 5_000).unref())]);
  log.info('stopped');
  process.exit(0);
} catch (error) {
  const text = error instanceof StartError ? error.message : 'The registrar could not start.';
  if (!(error instanceof StartError)) createLog('error', process.stderr).error('start-failed', { error });
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
