import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { TurnStart } from '../../../../crypto/protocol/messages/turn-messages.ts';
import { generateServerKeys } from '../../../../server/accounts/keys/server-keys.ts';
import { nameEnclave } from '../../../../server/pools/enclave-client.ts';
import { findFreePort } from '../../network/free-port.ts';
import { waitFor } from '../running-sotto.ts';
import type { ScriptedWorker } from '../../worker/scripted-worker.ts';
import { turnStart } from '../in-process/turn-process.ts';
import { makeSignedInDevices } from '../../users/without-keys/signed-in-devices.ts';

const projectFolder = resolve(import.meta.dirname, '../../../..');

export type SignedInReader = { readonly accessToken: string; readonly start: TurnStart };
type Running = { readonly child: ChildProcess; printed: string };

/** Two relay processes as in production, on one PostgreSQL and one scripted worker, each to be restarted in order. */
export class RelayPair implements AsyncDisposable {
  readonly ports: readonly [number, number];
  readonly #environment: Record<string, string>;
  readonly #running: [Running | null, Running | null] = [null, null];

  private constructor(ports: [number, number], environment: Record<string, string>) {
    this.ports = ports;
    this.#environment = environment;
  }

  static async start(
    worker: ScriptedWorker,
    databaseUrl: string,
    environment: Record<string, string> = {},
  ): Promise<RelayPair> {
    const pair = new RelayPair([await findFreePort(), await findFreePort()], {
      DATABASE_URL: databaseUrl,
      SERVER_KEYS: await generateServerKeys(),
      ENCLAVE_POOL: 'static',
      ENCLAVE_URLS: worker.url,
      ENCLAVE_TOKEN: worker.token,
      LOG_LEVEL: 'info',
      ...environment,
    });
    await pair.run(0);
    await pair.run(1);
    return pair;
  }

  async run(which: 0 | 1): Promise<void> {
    const env = { PATH: process.env['PATH'], PORT: String(this.ports[which]), ...this.#environment };
    const child = spawn(process.execPath, ['server/main.ts'], { cwd: projectFolder, env });
    const running = { child, printed: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (running.printed += text));
    }
    this.#running[which] = running;
    const isUp = () =>
      fetch(`http://127.0.0.1:${this.ports[which]}/livez`).then(
        (response) => response.ok,
        () => false,
      );
    await waitFor(isUp, 120_000, () => `a relay did not start:\n${running.printed}`);
  }

  /** SIGTERM, as Docker and systemd send it. @returns the exit code, what it logged and how long it took. */
  async stop(which: 0 | 1): Promise<{ code: number | null; printed: string; tookMs: number }> {
    const running = this.#running[which];
    if (running === null) throw new Error('This relay does not run.');
    this.#running[which] = null;
    const ended = once(running.child, 'close');
    const fromMs = performance.now();
    running.child.kill('SIGTERM');
    await ended;
    return { code: running.child.exitCode, printed: running.printed, tookMs: performance.now() - fromMs };
  }

  /** Accounts and sessions as sign-up makes them, each with a turn to start. */
  async signIn(count: number, worker: ScriptedWorker): Promise<SignedInReader[]> {
    const enclaveId = nameEnclave(new URL(worker.url).href);
    const devices = await makeSignedInDevices(this.#environment, count);
    return devices.map(({ accessToken, device }) => ({
      accessToken,
      start: turnStart(device, enclaveId, { batch: null }),
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running) {
      if (running === null || running.child.exitCode !== null) continue;
      running.child.kill('SIGKILL');
      await once(running.child, 'close');
    }
  }
}
