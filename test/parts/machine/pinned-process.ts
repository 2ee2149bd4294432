import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';

const projectFolder = resolve(import.meta.dirname, '../../..');

/** A child on a core of its own, where there are two and `taskset`: what is measured shares no core with its load. */
export class PinnedProcess implements AsyncDisposable {
  readonly process: ChildProcess;

  /** @param core - 0 for what is measured, 1 for everything around it. */
  constructor(
    core: 0 | 1,
    script: string,
    dependencies: {
      readonly args?: readonly string[];
      readonly env?: NodeJS.ProcessEnv;
      readonly nodeOptions?: readonly string[];
    },
  ) {
    const command = [process.execPath, ...(dependencies.nodeOptions ?? []), script, ...(dependencies.args ?? [])];
    const pinned = canPin() ? ['taskset', '-c', String(core), ...command] : command;
    this.process = spawn(pinned[0] ?? '', pinned.slice(1), {
      cwd: projectFolder,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...dependencies.env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  /** The next message of a script that reports by IPC. */
  async message<T>(): Promise<T> {
    const came = new AbortController();
    const ended = once(this.process, 'exit', { signal: came.signal }).then(([code]) => {
      throw new Error(`A process of the bench ended with ${String(code)}.`);
    });
    try {
      const [message] = (await Promise.race([once(this.process, 'message'), ended])) as [T];
      return message;
    } finally {
      ended.catch(() => undefined);
      came.abort();
    }
  }

  send(message: object): void {
    this.process.send(message);
  }

  /** Resident memory in bytes; Linux only. */
  get memoryBytes(): number {
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(this.#read('status')) ?? [];
    return Number(kilobytes ?? Number.NaN) * 1024;
  }

  /** Most memory that was resident so far, in bytes; Linux only. */
  get peakMemoryBytes(): number {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(this.#read('status')) ?? [];
    return Number(kilobytes ?? Number.NaN) * 1024;
  }

  /** Processor time so far in seconds; Linux only. */
  get cpuSeconds(): number {
    const fields = this.#read('stat').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  #read(name: string): string {
    try {
      return readFileSync(`/proc/${this.process.pid ?? 0}/${name}`, 'utf8');
    } catch {
      return '';
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }
}

function canPin(): boolean {
  if (cpus().length < 2) return false;
  try {
    execFileSync('taskset', ['-p', String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
