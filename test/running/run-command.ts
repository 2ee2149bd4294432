import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** Tells what became of a command. */
export interface CommandResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** Both of its streams, when they were collected. */
  readonly output: string;
}

/** How to run a command. */
export interface CommandOptions {
  readonly cwd: string;
  readonly timeoutMs: number;
  /** Ends it before its time, as the time limit does. */
  readonly signal?: AbortSignal;
  /** Beside this process's own variables. */
  readonly variables?: Readonly<Record<string, string>>;
  /** `inherit` shows the output as it comes, `collect` returns it. */
  readonly output: 'inherit' | 'collect';
}

/**
 * Runs `node`, which is the Node that runs this, or one of the project's own tools from node_modules/.bin.
 *
 * The command leads a process group, so that its time limit ends its children too.
 */
export function runCommand(command: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const binaries = join(import.meta.dirname, '../..', 'node_modules/.bin');
  const [name, ...parameters] = command;
  const colours = options.output === 'collect' ? { NO_COLOR: '1' } : {};
  return new Promise((resolve, reject) => {
    const child = spawn(name === 'node' ? process.execPath : join(binaries, name ?? ''), parameters, {
      cwd: options.cwd,
      detached: true,
      env: {
        // Hundreds of relays and workers are started: what each would compile anew is kept (Node, module compile cache).
        NODE_COMPILE_CACHE: join(binaries, '..', '.cache', 'node-compile'),
        ...process.env,
        ...colours,
        ...options.variables,
        PATH: `${binaries}:${process.env['PATH'] ?? ''}`,
      },
      stdio: options.output === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    const endGroup = (signal: NodeJS.Signals) => {
      const isOver = child.exitCode !== null || child.signalCode !== null;
      if (child.pid !== undefined && !isOver) process.kill(-child.pid, signal);
    };
    const onInterrupt = () => endGroup('SIGINT');
    process.on('SIGINT', onInterrupt);
    const onAbort = () => endGroup('SIGKILL');
    options.signal?.addEventListener('abort', onAbort);
    const timer = setTimeout(onAbort, options.timeoutMs);
    const parts: string[] = [];
    child.stdout?.on('data', (chunk: Buffer) => parts.push(chunk.toString('utf8')));
    child.stderr?.on('data', (chunk: Buffer) => parts.push(chunk.toString('utf8')));
    const finish = () => {
      clearTimeout(timer);
      process.off('SIGINT', onInterrupt);
      options.signal?.removeEventListener('abort', onAbort);
    };
    child.once('error', (error) => {
      finish();
      reject(error);
    });
    child.once('close', (exitCode) => {
      finish();
      resolve({ exitCode, output: parts.join('') });
    });
  });
}
