import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { nameEnclave } from '../../../../server/pools/enclave-client.ts';
import { databaseFileName } from '../../../../server/storage/sqlite/sqlite.ts';
import { findFreePort } from '../../network/free-port.ts';
import { waitFor } from '../running-sotto.ts';
import { makeSelfSigned } from '../../network/self-signed.ts';
import { makeTemporaryFolder } from '../../machine/temporary-folder.ts';
import type { VaultDevice } from '../../users/without-keys/vault-device.ts';
import { makeSignedInDevices } from '../../users/without-keys/signed-in-devices.ts';
import { turnStart } from '../in-process/turn-process.ts';
import type { LoadSettings } from '../../users/crowd/load-generator.ts';
import { PinnedProcess } from '../../machine/pinned-process.ts';

const meterFileName = 'loop-meter.txt';

/** One relay process as it runs in production, its worker double, and browsers that have signed in already. */
export class BenchRelay implements AsyncDisposable {
  readonly relay: PinnedProcess;
  readonly worker: PinnedProcess;
  readonly settings: LoadSettings;
  readonly #remove: () => Promise<void>;
  readonly #folder: string;

  private constructor(dependencies: {
    relay: PinnedProcess;
    worker: PinnedProcess;
    settings: LoadSettings;
    folder: { readonly path: string; remove(): Promise<void> };
  }) {
    this.relay = dependencies.relay;
    this.worker = dependencies.worker;
    this.settings = dependencies.settings;
    this.#remove = () => dependencies.folder.remove();
    this.#folder = dependencies.folder.path;
  }

  /** @param databaseUrl - SQLite when left out. */
  static async start(options: {
    readonly browsers: number;
    readonly mode: 'paced' | 'flood';
    readonly turnsPerSecond: number;
    readonly databaseUrl?: string;
    /** True if the relay's event loop is looked at from inside, which costs a little. */
    readonly isMetered?: true;
    /** True if it has a certificate of its own, and so speaks HTTP/2 as well. */
    readonly isTls?: boolean;
    /** Fills the account of a browser before the relay starts. */
    readonly prepare?: (device: VaultDevice, index: number) => Promise<void>;
  }): Promise<BenchRelay> {
    const folder = await makeTemporaryFolder('bench');
    const token = randomBytes(32).toString('hex');
    const worker = new PinnedProcess(1, 'test/parts/worker/worker-double.ts', { args: [options.mode, token] });
    const { port: workerPort } = await worker.message<{ port: number }>();
    const workerUrl = `http://127.0.0.1:${workerPort}/`;
    const environment = {
      DATA_DIR: folder.path,
      PORT: String(await findFreePort()),
      ENCLAVE_POOL: 'static',
      ENCLAVE_URLS: workerUrl,
      ENCLAVE_TOKEN: token,
      LOG_LEVEL: 'error',
      ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
    };
    const tls = options.isTls === true ? makeSelfSigned() : null;
    if (tls !== null) {
      const files = { TLS_CERT: join(folder.path, 'cert.pem'), TLS_KEY: join(folder.path, 'key.pem') };
      writeFileSync(files.TLS_CERT, tls.cert, { mode: 0o600 });
      writeFileSync(files.TLS_KEY, tls.key, { mode: 0o600 });
      Object.assign(environment, files);
    }
    const browsers = await prepareBrowsers(environment, nameEnclave(workerUrl), options);
    const relay = new PinnedProcess(0, 'server/main.ts', {
      env: { ...environment, LOOP_METER_FILE: join(folder.path, meterFileName) },
      nodeOptions: [
        // The launcher and the image start it so.
        '--max-semi-space-size=4',
        ...(options.isMetered === true ? ['--import', join(import.meta.dirname, '../../machine/loop-meter.ts')] : []),
      ],
    });
    const port = Number(environment.PORT);
    // The port is open once the relay could serve.
    const isUp = async () => {
      const socket = connect(port, '127.0.0.1');
      return once(socket, 'connect')
        .then(
          () => true,
          () => false,
        )
        .finally(() => socket.destroy());
    };
    await waitFor(isUp, 120_000, () => 'The relay of the bench does not answer.');
    const settings = { port, ca: tls?.cert, browsers, turnsPerSecond: options.turnsPerSecond };
    return new BenchRelay({ relay, worker, settings, folder });
  }

  /** Frames in the database now; SQLite lets others read meanwhile. */
  countStored(): number {
    return this.#readNumber('select coalesce(sum(count), 0) as number from frames');
  }

  /** Frames that are missing in the database before others of their transcript; SQLite's alone. */
  countGaps(): number {
    return this.#readNumber(`select coalesce(sum(missing), 0) as number from
      (select max(number + count) - sum(count) as missing from frames group by turn_id, transcript_id)`);
  }

  #readNumber(query: string): number {
    const file = new DatabaseSync(join(this.#folder, databaseFileName), { readOnly: true });
    const row = file.prepare(query).get();
    file.close();
    return Number(row?.['number']);
  }

  /** Milliseconds of processor time that the relay's main thread took between two turns of its event loop, if over ten. */
  blocksBetween(fromMs: number, untilMs: number): number[] {
    const lines = readFileSync(join(this.#folder, meterFileName), { encoding: 'utf8', flag: 'a+' }).trim().split('\n');
    const blocks = lines.map((line) => line.split(' ').map(Number));
    return blocks.flatMap(([atMs = 0, spentMs = 0]) => (atMs >= fromMs && atMs <= untilMs ? [spentMs] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay[Symbol.asyncDispose]();
    await this.worker[Symbol.asyncDispose]();
    await this.#remove();
  }
}

/** Devices that have signed in, each with a turn to start. */
async function prepareBrowsers(
  environment: Record<string, string>,
  enclaveId: string,
  { browsers: count, prepare }: Parameters<typeof BenchRelay.start>[0],
): Promise<LoadSettings['browsers']> {
  const devices = await makeSignedInDevices(environment, count, prepare);
  return devices.map(({ accessToken, device }) => {
    const start = turnStart(device, enclaveId, { batch: null, model: 'bench-model' });
    return { accessToken, turnStart: JSON.stringify(start) };
  });
}
