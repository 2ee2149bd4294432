import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { findFreePort } from '../network/free-port.ts';
import { waitFor } from './running-sotto.ts';

const projectFolder = resolve(import.meta.dirname, '../../..');

/** A relay and a worker as two processes without a launcher, each to be killed and started again by a test. */
export class RelayAndWorker implements AsyncDisposable {
  readonly #environment: Record<string, string>;
  readonly #workerEnvironment: Record<string, string>;
  readonly #token = randomBytes(32).toString('hex');
  #relay: ChildProcess | null = null;
  #worker: ChildProcess | null = null;
  #relayPort = 0;
  #workerPort = 0;
  #printed = '';

  /**
   * @param environment - Of the relay: DATA_DIR, and DATABASE_URL or not.
   * @param workerEnvironment - Of the worker; its engine is rehearsal unless this says otherwise.
   */
  constructor(environment: Record<string, string>, workerEnvironment: Record<string, string> = {}) {
    this.#environment = environment;
    this.#workerEnvironment = workerEnvironment;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#relayPort}`;
  }

  async start(): Promise<this> {
    this.#relayPort = await findFreePort();
    this.#workerPort = await findFreePort();
    await this.startWorker();
    await this.startRelay();
    return this;
  }

  async startWorker(): Promise<void> {
    const settings = { ENGINE: 'rehearsal', WORKER_HOST: '127.0.0.1', WORKER_PORT: String(this.#workerPort) };
    const environment = { ...settings, ENCLAVE_TOKEN: this.#token, ...this.#workerEnvironment };
    this.#worker = this.#spawn('enclave-worker/main.ts', environment);
    const headers = { authorization: `Bearer ${this.#token}` };
    await this.#answers(`http://127.0.0.1:${this.#workerPort}/status`, { headers });
  }

  async startRelay(): Promise<void> {
    this.#relay = this.#spawn('server/main.ts', {
      PORT: String(this.#relayPort),
      ENCLAVE_POOL: 'static',
      ENCLAVE_URLS: `http://127.0.0.1:${this.#workerPort}`,
      ENCLAVE_TOKEN: this.#token,
      ...this.#environment,
    });
    await this.#answers(`${this.url}/livez`, {});
  }

  /** Kills the relay as a power cut would. */
  async killRelay(): Promise<void> {
    await kill(this.#relay);
  }

  /** It keeps its connections and answers nothing, as a machine does that is out of memory or paused. */
  freezeRelay(): void {
    this.#relay?.kill('SIGSTOP');
  }

  thawRelay(): void {
    this.#relay?.kill('SIGCONT');
  }

  async killWorker(): Promise<void> {
    await kill(this.#worker);
  }

  /** In order, as a deployment does. */
  async stopRelay(): Promise<number | null> {
    const relay = this.#relay;
    if (relay === null) return null;
    relay.kill('SIGTERM');
    if (relay.exitCode === null) await once(relay, 'exit');
    return relay.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await kill(this.#relay);
    await kill(this.#worker);
  }

  #spawn(script: string, environment: Record<string, string>): ChildProcess {
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], LOG_LEVEL: 'warn', ...environment };
    const child = spawn(process.execPath, [script], { cwd: projectFolder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#printed += text;
      });
    }
    return child;
  }

  #answers(url: string, init: RequestInit): Promise<void> {
    const isUp = () =>
      fetch(url, init).then(
        (response) => response.ok,
        () => false,
      );
    return waitFor(isUp, 120_000, () => `${url} does not answer:\n${this.#printed}`);
  }
}

async function kill(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
