import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { EnclavePolicy } from '../../../crypto/evidence/policy/policy.ts';
import { buildWorker } from '../../../enclave-worker/build.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../machine/temporary-folder.ts';
import type { TestChip } from './amd/test-chip.ts';

/** The built worker as a process, with the evidence of a test machine. */
export class HardwareWorker implements AsyncDisposable {
  readonly url: string;
  readonly token: string;
  /** Policies name its file so. */
  readonly imageDigest: string;
  readonly child: ChildProcess;
  readonly #folder: TemporaryFolder;
  readonly #printed: { text: string };

  private constructor(input: {
    url: string;
    token: string;
    imageDigest: string;
    child: ChildProcess;
    folder: TemporaryFolder;
    printed: { text: string };
  }) {
    this.url = input.url;
    this.token = input.token;
    this.imageDigest = input.imageDigest;
    this.child = input.child;
    this.#folder = input.folder;
    this.#printed = input.printed;
  }

  /**
   * Builds the worker into a folder of its own, and nothing else into it, and starts it there.
   *
   * @param chip - The machine, or null for a worker whose environment says the rest (Modal).
   * @param environment - Beside the usual settings, or in their place; the engine is rehearsal unless it says otherwise.
   * @throws {Error} with all that it printed when it does not start.
   */
  static async start(chip: TestChip | null, environment: Record<string, string> = {}): Promise<HardwareWorker> {
    const folder = await makeTemporaryFolder('hardware-worker');
    const { imageDigest } = await buildWorker(folder.path);
    const token = 'token-of-a-hardware-worker-0123456789';
    const child = spawn(process.execPath, [...(chip?.nodeOptions ?? []), join(folder.path, 'worker.mjs')], {
      cwd: folder.path,
      env: {
        PATH: process.env['PATH'],
        ENGINE: 'rehearsal',
        ENCLAVE_TOKEN: token,
        WORKER_PORT: '0',
        LOG_LEVEL: 'debug',
        ...chip?.environment,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const printed = { text: '' };
    const port = await new Promise<number>((done, fail) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          printed.text += text;
          const [, found] = /"event":"listening","port":(\d+)/.exec(printed.text) ?? [];
          if (found !== undefined) done(Number(found));
        });
      }
      child.once('exit', (code) => fail(new Error(`${code}: ${printed.text}`)));
    }).catch(async (error: unknown) => {
      await folder.remove();
      throw error;
    });
    return new HardwareWorker({ url: `http://127.0.0.1:${port}`, token, imageDigest, child, folder, printed });
  }

  /** Everything on its stdout and stderr. */
  get printed(): string {
    return this.#printed.text;
  }

  policy(chip: TestChip, changes: Partial<EnclavePolicy> = {}): EnclavePolicy {
    return chip.policyFor(this.imageDigest, changes);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#folder.remove();
  }
}
