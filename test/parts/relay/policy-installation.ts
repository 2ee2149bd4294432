import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EnclavePolicy } from '../../../crypto/evidence/policy/policy.ts';
import { findFreePort } from '../network/free-port.ts';
import { copyProject } from '../machine/project-copy.ts';
import { waitFor } from './running-sotto.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../machine/temporary-folder.ts';

/** The product in a folder of its own, its client built with a policy of its own, as somebody who runs it does. */
export class PolicyInstallation implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly #relays: ChildProcess[] = [];
  readonly policyPath: string;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
    this.policyPath = join(folder.path, 'policy-of-this-installation.json');
  }

  static async build(policy: EnclavePolicy): Promise<PolicyInstallation> {
    const installation = new PolicyInstallation(await makeTemporaryFolder('installation'));
    const { path } = installation.#folder;
    copyProject(path);
    writeFileSync(installation.policyPath, JSON.stringify(policy));
    execFileSync(process.execPath, ['client/build.ts'], {
      cwd: path,
      env: { ...process.env, CLIENT_POLICY: installation.policyPath },
      stdio: 'ignore',
    });
    return installation;
  }

  /** A relay with accounts of its own, over workers that run already. @returns its port. */
  async startRelay(name: string, environment: Record<string, string>): Promise<number> {
    const port = await findFreePort();
    const dataFolder = join(this.#folder.path, `data-${name}`);
    mkdirSync(dataFolder);
    const relay = spawn(process.execPath, ['server/main.ts'], {
      cwd: this.#folder.path,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        LOG_LEVEL: 'warn',
        PORT: String(port),
        DATA_DIR: dataFolder,
        ENCLAVE_POOL: 'static',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#relays.push(relay);
    let printed = '';
    for (const stream of [relay.stdout, relay.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
    }
    const isUp = () =>
      fetch(`http://127.0.0.1:${port}/livez`).then(
        (response) => response.ok,
        () => false,
      );
    await waitFor(isUp, 120_000, () => `The relay ${name} does not answer:\n${printed}`);
    return port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const relay of this.#relays) {
      if (relay.exitCode !== null || relay.signalCode !== null) continue;
      relay.kill('SIGKILL');
      await once(relay, 'exit');
    }
    await this.#folder.remove();
  }
}
