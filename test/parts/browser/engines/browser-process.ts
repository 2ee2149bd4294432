import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a program lies that the search path names, or null. */
export function findProgram(name: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** A program that leads a process group of its own, so that its end is the end of its children. */
export class BrowserProcess {
  readonly #child: ChildProcess;
  #printed = '';

  /** @param environment - Beside that of the tests. */
  constructor(command: readonly [string, ...string[]], environment: Readonly<Record<string, string>> = {}) {
    const [program, ...parameters] = command;
    this.#child = spawn(program, parameters, {
      detached: true,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    for (const stream of this.#child.stdio.slice(1)) {
      stream?.on('data', (piece: Buffer) => {
        this.#printed += piece.toString('utf8');
      });
    }
  }

  /**
   * Waits for what it prints, on any of its streams; the fourth is for those that answer on one of their own.
   *
   * @throws {Error} with all that it printed, when it ends or the time does.
   */
  async printed(pattern: RegExp, longestMs = 60_000): Promise<string> {
    const deadline = Date.now() + longestMs;
    for (;;) {
      const found = pattern.exec(this.#printed);
      if (found !== null) return found[1] ?? found[0];
      if (this.#child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`${this.#child.spawnfile} did not start:\n${this.#printed}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it with everything that it started. */
  async stop(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    const hasEnded = this.#child.exitCode !== null || this.#child.signalCode !== null;
    const ended = hasEnded ? Promise.resolve() : once(this.#child, 'exit');
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // None of the group is left.
    }
    await ended;
  }
}
