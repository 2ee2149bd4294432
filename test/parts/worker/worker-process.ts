import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const mainFile = join(import.meta.dirname, '../../../enclave-worker/main.ts');

export const workerToken = 'a-token-for-tests-0123456789-0123456789';

/** The real worker as the launcher runs it: a process with a channel. */
export interface WorkerProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly url: string;
  /** The states that it told over its channel. */
  readonly statuses: string[];
  /** Everything on its stdout and stderr. */
  output(): string;
  stop(): Promise<number | null>;
}

/** @throws when it ends before it is ready: the message is all that it said. */
export async function startWorkerProcess(environment: NodeJS.ProcessEnv = {}): Promise<WorkerProcess> {
  const child = fork(mainFile, [], {
    execArgv: [],
    env: {
      PATH: process.env['PATH'],
      WORKER_PORT: '0',
      ENCLAVE_TOKEN: workerToken,
      ENGINE: 'rehearsal',
      LOG_LEVEL: 'debug',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const statuses: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    let complaint = '';
    child.on('message', (message: { type: string; port?: number; text?: string }) => {
      if (message.type === 'ready') resolve(message.port ?? 0);
      if (message.type === 'status') statuses.push(message.text ?? '');
      if (message.type === 'failed') complaint = message.text ?? '';
    });
    child.once('exit', (code) => reject(new Error(`${code}: ${complaint}`)));
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = once(child, 'exit') as Promise<[number | null]>;
    if (child.connected) child.send({ type: 'stop' });
    const [code] = await ended;
    return code;
  };
  return {
    child,
    url: `http://127.0.0.1:${port}`,
    statuses,
    output: () => output,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}
