import { listen, type Listening } from './connections/listener.ts';
import { loadEnvironmentFile } from '../process/environment-file.ts';
import { nameOnThisMachine } from './launch/preflight.ts';
import { createLog, type Log } from '../process/event-log.ts';
import { openRelay, type Relay } from './relay.ts';
import { isLoopback } from '../process/loopback.ts';
import { readSettings, type Settings } from './settings.ts';
import { StartError } from '../process/start-error.ts';

/** Answers under way get this long when the relay stops. */
const drainMs = 4_000;

/** Files that the relay makes are for its own user alone. */
process.umask(0o077);

async function start(settings: Settings, log: Log): Promise<() => Promise<void>> {
  const relay: Relay = await openRelay(settings, log);
  let listening: Listening;
  try {
    listening = await listen(relay.app, {
      ...settings,
      isHttps: relay.isHttps,
      isProxy: (remoteAddress) => relay.addresses.isTrusted(remoteAddress),
    });
  } catch (error) {
    await relay.close();
    throw error;
  }
  if (!isLoopback(settings.host) && !relay.isHttps) {
    log.warn('no-https', {
      advice: 'Set TLS_CERT and TLS_KEY, or PUBLIC_URL behind an https proxy: pages are refused until then.',
    });
  }
  const url =
    settings.publicUrl ??
    `${settings.tls === null ? 'http' : 'https'}://${nameOnThisMachine(settings.host)}:${listening.port}`;
  log.info('listening', { port: listening.port });
  process.send?.({ type: 'ready', url });
  return async () => {
    relay.leave();
    // The database stays until the calls that are under way are answered.
    await listening.close(drainMs);
    await relay.close();
    log.info('stopped', { cut: listening.cut });
  };
}

/** Under the launcher the channel is the one order to stop: a Ctrl-C of the whole group is the launcher's to hand on. */
function waitForStop(): Promise<void> {
  return new Promise((resolve) => {
    const hasLauncher = process.send !== undefined;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (!hasLauncher || !process.connected) resolve();
      });
    }
    process.on('disconnect', () => resolve());
    process.on('message', (message: unknown) => {
      if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'stop') resolve();
    });
  });
}

async function main(): Promise<void> {
  const stopAsked = waitForStop();
  loadEnvironmentFile();
  const settings = readSettings(process.env);
  const log = createLog(settings.logLevel);
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      // In an unknown state nothing is written any more; what was acknowledged is on the disk.
      log.error('defect', { kind: event, error });
      process.exit(1);
    });
  }
  const stop = await start(settings, log);
  await stopAsked;
  await stop();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const text = error instanceof StartError ? error.message : 'The relay could not start.';
  if (!(error instanceof StartError)) createLog('error').error('start-failed', { error });
  if (process.send === undefined) process.stderr.write(`${text}\n`);
  else await new Promise<void>((resolve) => process.send?.({ type: 'failed', text }, undefined, {}, () => resolve()));
  process.exit(1);
}
