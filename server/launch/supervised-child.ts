import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import * as v from 'valibot';

/** A child says this over its channel. `line` is for the terminal, `failed` is a StartError's sentence. */
const childMessage = v.variant('type', [
  v.object({ type: v.literal('ready') }),
  v.object({ type: v.literal('line'), text: v.string() }),
  v.object({ type: v.literal('status'), text: v.string() }),
  v.object({ type: v.literal('failed'), text: v.string() }),
]);

export type ChildPlan = {
  /** For people: "relay", "worker". */
  readonly name: string;
  /** Path of the file that Node runs. */
  readonly file: string;
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
};

const firstPauseMs = 200;
const longestPauseMs = 10_000;
/** A child that lived this long starts again without a pause. */
const settledMs = 30_000;

/** A child that could not start for a reason that a person can mend. */
export class ChildFailed extends Error {
  override readonly name = 'ChildFailed';
}

/** Runs one child, and runs it again with growing pauses when it ends unasked. */
export class SupervisedChild {
  readonly #plan: ChildPlan;
  #process: ChildProcess | undefined;
  #pauseMs = firstPauseMs;
  #timer: NodeJS.Timeout | undefined;
  #isStopping = false;
  #isReplacing = false;

  constructor(plan: ChildPlan) {
    this.#plan = plan;
  }

  /**
   * Resolves when the child is ready for the first time.
   *
   * @throws {ChildFailed} when it ends before; later ends are mended in silence but for a line.
   */
  async start(): Promise<void> {
    let complaint = `The ${this.#plan.name} ended before it was ready.`;
    await new Promise<void>((resolve, reject) => {
      let isReady = false;
      this.#spawn({
        onReady: () => {
          isReady = true;
          resolve();
        },
        onFailed: (text) => {
          complaint = text;
        },
        onExit: () => {
          if (isReady || this.#isStopping) return false;
          reject(new ChildFailed(complaint));
          return true;
        },
      });
    });
  }

  /** Ends the child in its own order, then at once when `longestMs` are over. */
  async stop(longestMs: number): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    await this.#end(longestMs);
  }

  /** Another process for the same place, for changed sources. */
  async replace(): Promise<void> {
    if (this.#isStopping || this.#isReplacing) return;
    this.#isReplacing = true;
    await this.#end(5_000);
    this.#isReplacing = false;
    this.#spawn();
  }

  async #end(longestMs: number): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    if (child.connected) child.send({ type: 'stop' }, () => {});
    const timer = setTimeout(() => child.kill('SIGKILL'), longestMs);
    await ended;
    clearTimeout(timer);
  }

  #spawn(hooks: { onReady?: () => void; onFailed?: (text: string) => void; onExit?: () => boolean } = {}): void {
    const startedAtMs = performance.now();
    const child = fork(this.#plan.file, [], {
      env: this.#plan.environment,
      execArgv: [...process.execArgv, ...(this.#plan.nodeOptions ?? [])],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#process = child;
    child.on('message', (received) => {
      const parsed = v.safeParse(childMessage, received);
      if (!parsed.success) return;
      const message = parsed.output;
      if (message.type === 'ready') hooks.onReady?.();
      else if (message.type === 'failed') (hooks.onFailed ?? this.#plan.say)(message.text);
      else this.#plan.say(`${this.#plan.name}: ${message.text}`);
    });
    child.on('exit', () => {
      if (hooks.onExit?.() === true || this.#isStopping || this.#isReplacing) return;
      if (performance.now() - startedAtMs > settledMs) this.#pauseMs = firstPauseMs;
      this.#plan.say(`The ${this.#plan.name} ended; it starts again.`);
      this.#timer = setTimeout(() => this.#spawn(), this.#pauseMs);
      this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
    });
    child.on('error', () => {}); // A channel that closed while something was sent; `exit` follows.
  }
}
