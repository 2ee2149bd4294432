import { cryptoReady, signUp } from '../parts/users/with-keys/node-account.ts';
import { findFreePort } from '../parts/network/free-port.ts';
import { ModalFrontDoor } from '../parts/worker/modal/modal-front-door.ts';
import { NodeDevice } from '../parts/users/with-keys/node-device.ts';
import { NodeRelay } from '../parts/users/with-keys/node-relay.ts';
import { waitFor } from '../parts/relay/running-sotto.ts';
import { makeTemporaryFolder } from '../parts/machine/temporary-folder.ts';
import { type Figure, percentile } from './figure.ts';
import { PinnedProcess } from '../parts/machine/pinned-process.ts';

const rounds = 10;
/** How soon a client that was told `enclave-starting` comes again, at the earliest. */
const againMs = 1_000;

/**
 * From opening a conversation to an enclave that is verified, over a double of Modal's front door with real workers: what
 * relay, sessions and client take, without the time in which Modal finds a machine and pulls an image.
 */
export async function benchEnclaveReadiness(): Promise<Figure[]> {
  await cryptoReady();
  await using folder = await makeTemporaryFolder('bench');
  await using door = await new ModalFrontDoor({ maximumContainers: 1, scaledownMs: 200 }).start();
  const port = await findFreePort();
  const environment = { DATA_DIR: folder.path, PORT: String(port), LOG_LEVEL: 'error', ...door.settings };
  await using _relay = new PinnedProcess(0, 'server/main.ts', { env: environment });
  const url = `http://127.0.0.1:${port}`;
  const isUp = () =>
    fetch(`${url}/livez`)
      .then(({ ok }) => ok)
      .catch(() => false);
  await waitFor(isUp, 120_000, () => 'The relay of the bench does not answer.');
  const device = async (name: string) => {
    const relay = new NodeRelay(url);
    return new NodeDevice(relay, await signUp(relay, name, 'a password of some length'));
  };

  const cold: number[] = [];
  const started: number[] = [];
  const known: number[] = [];
  for (let round = 0; round < rounds; round++) {
    door.loseSessions();
    await waitFor(
      () => door.running.length === 0,
      60_000,
      () => 'The container stays.',
    );
    cold.push(await timeToReady(await device(`cold-${round}`)));
    const newcomer = await device(`warm-${round}`);
    started.push(await timeToReady(newcomer));
    known.push(await timeToReady(newcomer));
  }
  const times = (measure: string, values: number[], note: string): Figure[] =>
    [0.5, 0.95].map((part) => ({
      measure: `${measure}, p${part * 100}`,
      value: percentile(values, part),
      unit: 'ms',
      note,
    }));
  return [
    ...times('conversation to ready, session known', known, 'evidence asked and verified'),
    ...times('conversation to ready, warm container', started, 'and a session started'),
    ...times('conversation to ready, from zero', cold, `and a worker booted; asked again each ${againMs} ms`),
  ];
}

async function timeToReady(device: NodeDevice): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    try {
      await device.verifiedEnclave();
      return performance.now() - startedAt;
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('enclave-starting')) throw error;
      await new Promise((resolve) => setTimeout(resolve, againMs));
    }
  }
}
