import { cryptoReady, signIn, signUp } from '../parts/users/with-keys/node-account.ts';
import { NodeRelay } from '../parts/users/with-keys/node-relay.ts';
import { RelayAndWorker } from '../parts/relay/relay-and-worker.ts';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';
import { type Figure, percentile } from './figure.ts';

const rounds = 10;

/** OPAQUE with Argon2id, two calls, keyslot opened: in Node, so without a browser's drawing. */
export async function benchSignIn(): Promise<Figure[]> {
  await cryptoReady();
  await using folder = await makeTemporaryFolder('bench');
  await using system = await new RelayAndWorker({ DATA_DIR: folder.path }).start();
  const account = ['bench-person', 'a password of some length'] as const;
  await signUp(new NodeRelay(system.url), ...account);
  const times: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const relay = new NodeRelay(system.url);
    const startedAt = performance.now();
    await signIn(relay, ...account);
    if (round >= 0) times.push(performance.now() - startedAt);
    relay.close();
  }
  const note = `${rounds} sign-ins, Argon2id with 64 MiB`;
  return [
    { measure: 'sign-in p50', value: percentile(times, 0.5), unit: 'ms', note },
    { measure: 'sign-in p95', value: percentile(times, 0.95), unit: 'ms', note },
  ];
}
