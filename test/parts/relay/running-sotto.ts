import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../network/free-port.ts';
import { type ListedProcess, listProcesses } from '../machine/process-list.ts';
import { makeTemporaryFolder } from '../machine/temporary-folder.ts';

const projectFolder = resolve(import.meta.dirname, '../../..');

/** The whole product as `npm start` runs it: launcher, worker, relay and built client. */
export interface RunningSotto {
  readonly url: string;
  readonly dataFolder: string;
  /** All that the launcher and its children have printed so far. */
  output(): string;
  /** The process id of the relay or the worker that runs now. */
  childPid(part: 'server/main.ts' | 'enclave-worker/main.ts'): number;
  /** Ends the relay as a power cut would; the launcher starts another on the same port. */
  killRelay(): Promise<void>;
  /** Waits until the relay says that it can serve. */
  healthy(): Promise<void>;
  /** Lists what runs of it now: launcher, children and theirs. */
  processes(): ListedProcess[];
  /** One Ctrl-C, which a terminal sends to all of them. @returns the exit code of what was started. */
  stop(): Promise<number>;
}

export type StartOptions = {
  readonly environment?: Readonly<Record<string, string>>;
  /** Kept after `stop()` when given; a temporary one otherwise. */
  readonly dataFolder?: string;
  readonly port?: number;
  /** Where it lies; this checkout when not given. */
  readonly folder?: string;
  /** A person types this; the launcher itself when not given. */
  readonly command?: readonly [string, ...string[]];
  /** This must answer before it counts as started: `/livez` where no client is built, as under `npm run dev`. */
  readonly readyPath?: '/healthz' | '/livez';
};

/** @throws {Error} with what the launcher printed when it does not come up within two minutes. */
export async function startSotto(options: StartOptions = {}): Promise<RunningSotto> {
  const temporary = options.dataFolder === undefined ? await makeTemporaryFolder('sotto') : undefined;
  const dataFolder = options.dataFolder ?? temporary?.path ?? '';
  const port = options.port ?? (await findFreePort());
  const url = `http://localhost:${port}`;
  const { readyPath = '/healthz' } = options;
  const [program, ...argumentList] = options.command ?? [process.execPath, 'server/launcher.ts'];
  const launcher = spawn(program, argumentList, {
    cwd: options.folder ?? projectFolder,
    // Rehearsal unless a test says otherwise: no test waits for a download.
    env: { ...process.env, ENGINE: 'rehearsal', PORT: String(port), DATA_DIR: dataFolder, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: a Ctrl-C of either does not reach the other.
    detached: true,
  });
  let printed = '';
  for (const stream of [launcher.stdout, launcher.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  const childPid = (part: string): number => {
    const pid = findChild(launcher, part);
    if (pid === undefined) throw new Error(`no process of ${part} under the launcher`);
    return pid;
  };
  const healthy = () =>
    waitFor(
      () => isAnswering(`${url}${readyPath}`),
      120_000,
      () => `${url} did not become healthy:\n${printed}`,
    );
  const sotto: RunningSotto = {
    url,
    dataFolder,
    output: () => printed,
    childPid,
    healthy,
    async killRelay() {
      const killed = childPid('server/main.ts');
      process.kill(killed, 'SIGKILL');
      await waitFor(
        () => findChild(launcher, 'server/main.ts') !== killed && !isAlive(killed),
        30_000,
        () => 'the relay survived',
      );
    },
    processes: () => listProcesses().filter(({ group }) => group === launcher.pid),
    async stop() {
      if (launcher.exitCode === null && launcher.pid !== undefined) {
        const ended = once(launcher, 'exit');
        process.kill(-launcher.pid, 'SIGINT');
        await ended;
      }
      await temporary?.remove();
      return launcher.exitCode ?? -1;
    },
  };
  try {
    await waitFor(
      async () => launcher.exitCode !== null || (await isAnswering(`${url}${readyPath}`)),
      120_000,
      () => `${url} did not start:\n${printed}`,
    );
    if (launcher.exitCode !== null) throw new Error(`the launcher ended with ${launcher.exitCode}:\n${printed}`);
  } catch (error) {
    await sotto.stop();
    throw error;
  }
  return sotto;
}

/** Asks until it is so; the longest wait is a limit, not a measurement. */
export async function waitFor(
  isSo: () => boolean | Promise<boolean>,
  longestMs: number,
  complaint: () => string,
): Promise<void> {
  const deadline = Date.now() + longestMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(complaint());
    await sleep(100);
  }
}

async function isAnswering(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function findChild(launcher: ChildProcess, part: string): number | undefined {
  return listProcesses().find(({ group, command }) => group === launcher.pid && command.includes(part))?.pid;
}
