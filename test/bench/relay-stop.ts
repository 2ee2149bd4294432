import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../parts/network/free-port.ts';
import { LiveReader } from '../parts/users/vaults/live-reader.ts';
import { guideConfiguration, hasNginx, startNginx } from '../parts/network/nginx.ts';
import { startPostgres } from '../parts/storage/postgres.ts';
import { RelayPair } from '../parts/relay/under-load/relay-pair.ts';
import { waitFor } from '../parts/relay/running-sotto.ts';
import { ScriptedWorker } from '../parts/worker/scripted-worker.ts';
import type { Figure } from './figure.ts';

const readerCount = 20;
const tickMs = 100;

/** How long readers wait, and how long the relay takes, when it stops with twenty answers streaming and another beside it. */
export async function benchRelayStop(): Promise<Figure[]> {
  if (!hasNginx) return [];
  const postgres = await startPostgres();
  const worker = await new ScriptedWorker().start();
  const pair = await RelayPair.start(worker, await postgres.createDatabase());
  const port = await findFreePort();
  const configuration = guideConfiguration('nginx', {
    'server 127.0.0.1:8787 max_fails=0;': pair.ports.map((at) => `server 127.0.0.1:${at} max_fails=0;`).join(' '),
    'listen 443 ssl http2;': `listen 127.0.0.1:${port};`,
    'server_name your.name;': '',
    'ssl_certificate /etc/ssl/your.name.pem;': '',
    'ssl_certificate_key /etc/ssl/your.name.key;': '',
  });
  const nginx = await startNginx(configuration, port);
  // Everybody is at the first one, then the second is there too.
  await pair.stop(1);
  const url = `http://127.0.0.1:${port}`;
  const signedIn = await pair.signIn(readerCount, worker);
  for (const { accessToken, start } of signedIn) {
    const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
    await fetch(`${url}/v1/turns`, { method: 'POST', headers, body: JSON.stringify(start) });
  }
  const readers = signedIn.map(({ accessToken, start }) => new LiveReader(url, accessToken, start.turnId));
  const speaking = setInterval(() => worker.transcripts.forEach((transcript) => worker.speak(transcript, 1)), tickMs);
  await waitFor(
    () => readers.every(({ opened, frames }) => opened > 0 && frames.size > 20),
    30_000,
    () => 'no frames came',
  );
  await pair.run(1);
  await sleep(2_000);
  for (const reader of readers) reader.longestPauseMs = 0;
  const before = readers.map(({ opened }) => opened);
  const fromMs = performance.now();
  let movedMs = Number.NaN;
  const moved = waitFor(
    () => readers.every(({ opened }, index) => opened > (before[index] ?? 0)),
    30_000,
    () => 'readers did not move',
  ).then(() => (movedMs = performance.now() - fromMs));
  const { tookMs } = await pair.stop(0);
  await moved;
  await sleep(3_000);
  clearInterval(speaking);
  const pauses = readers.map(({ longestPauseMs }) => longestPauseMs);
  const failures = readers.flatMap((reader) => reader.failures).length;
  for (const reader of readers) reader.end();
  await nginx[Symbol.asyncDispose]();
  await pair[Symbol.asyncDispose]();
  await worker.stop();
  await postgres.stop();
  const note = `${readerCount} answers streaming, two relays behind nginx`;
  return [
    { measure: 'longest pause of a reader', value: Math.max(...pauses), unit: 'ms', note },
    { measure: 'stop of the relay', value: tookMs, unit: 'ms', note: 'from SIGTERM to its end' },
    { measure: 'readers at the other relay after', value: movedMs, unit: 'ms', note: 'looked at every 100 ms' },
    { measure: 'answers above 499', value: failures, unit: '', note: 'of the readers' },
  ];
}
