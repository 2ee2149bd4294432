import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { statfsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A relay's turns as a process (relay-child.ts) that a test kills, freezes and starts again. */
export class RelayMember {
  readonly #settings: object;
  #process: ChildProcess | null = null;
  #nextId = 1;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  isFrozen = false;
  readonly complaints: string[] = [];

  constructor(settings: object) {
    this.#settings = settings;
  }

  /** Resolves when it runs; a database that is away fails it, and whoever asked tries again. */
  async start(): Promise<boolean> {
    if (this.#process !== null) return true;
    const child = fork(new URL('relay-child.ts', import.meta.url), [JSON.stringify(this.#settings)], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    child.stderr?.on('data', (piece: Buffer) => this.complaints.push(piece.toString('utf8')));
    child.on('error', () => undefined);
    this.#process = child;
    child.on('exit', () => {
      if (this.#process === child) this.#process = null;
      for (const answer of this.#waiting.values()) answer(null);
    });
    child.on('message', ({ answer = null, id = 0 }: { id?: number; answer?: unknown }) =>
      this.#waiting.get(id)?.(answer),
    );
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
    return this.#process === child;
  }

  /** @returns what it answered; null when it could not. */
  async ask(order: object, longestMs = 5_000): Promise<unknown> {
    const child = this.#process;
    if (child?.connected !== true || this.isFrozen) return null;
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const answer = (value: unknown): void => {
        this.#waiting.delete(id);
        resolve(value);
      };
      this.#waiting.set(id, answer);
      setTimeout(answer, longestMs, null).unref();
      child.send({ ...order, id }, () => undefined);
    });
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** An ordered stop, which writes what was gathered. */
  async stop(): Promise<void> {
    if (!this.isFrozen) await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.isFrozen = false;
    if (child === null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  freeze(): void {
    this.isFrozen = this.#process?.kill('SIGSTOP') === true;
  }

  thaw(): void {
    if (this.isFrozen) this.#process?.kill('SIGCONT');
    this.isFrozen = false;
  }
}

/** A small file system of its own where this user may mount one; null elsewhere. */
export function mountSmall(
  folder: string,
  size: string,
): { fill(): Promise<void>; empty(): Promise<void>; unmount(): void } | null {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return null;
  }
  const ballast = join(folder, 'ballast');
  return {
    async fill() {
      const { bavail, bsize } = statfsSync(folder);
      await writeFile(ballast, Buffer.alloc(bavail * bsize)).catch(() => undefined);
    },
    empty: () => rm(ballast, { force: true }),
    unmount: () => void execFileSync('umount', ['-l', folder], { stdio: 'ignore' }),
  };
}
