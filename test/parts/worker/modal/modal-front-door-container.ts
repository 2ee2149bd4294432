import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { request as requestHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const mainFile = join(import.meta.dirname, '../../../../enclave-worker/main.ts');

/** A container with a real worker in it, as a process. It is ready when its port listens. */
export class FrontDoorContainer {
  readonly ready: Promise<boolean>;
  #child: ChildProcess | null = null;
  #port = 0;
  #state: 'booting' | 'running' | 'gone' = 'booting';
  #printed = '';

  /** @param bootMs - What pulling an image and getting a GPU takes. */
  constructor(bootMs: number, environment: Readonly<Record<string, string>>) {
    this.ready = this.#boot(bootMs, environment).catch(() => {
      this.#state = 'gone';
      return false;
    });
  }

  get state(): 'booting' | 'running' | 'gone' {
    return this.#state;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** All that its worker wrote: whoever runs it may read this on Modal. */
  get printed(): string {
    return this.#printed;
  }

  async #boot(bootMs: number, environment: Readonly<Record<string, string>>): Promise<boolean> {
    await sleep(bootMs);
    if (this.#state === 'gone') return false;
    const child = fork(mainFile, [], {
      execArgv: [],
      env: { PATH: process.env['PATH'], WORKER_PORT: '0', ENGINE: 'rehearsal', LOG_LEVEL: 'debug', ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    child.stdout?.on('data', (text: Buffer) => (this.#printed += text.toString('utf8')));
    child.stderr?.on('data', (text: Buffer) => (this.#printed += text.toString('utf8')));
    this.#port = await new Promise<number>((resolve, reject) => {
      child.on('message', (message: { type: string; port?: number; text?: string }) => {
        if (message.type === 'ready') resolve(message.port ?? 0);
        if (message.type === 'failed') this.#printed += message.text ?? '';
      });
      child.once('exit', () => reject(new Error(`The worker ended:\n${this.#printed}`)));
    });
    child.once('exit', () => (this.#state = 'gone'));
    this.#state = 'running';
    return true;
  }

  /** Forwards as the proxy does: the bytes go through, and an ended connection on one side ends the other. */
  forward(request: IncomingMessage, response: ServerResponse, headers: Record<string, string | string[]>): void {
    const { method, url: path } = request;
    const onward = requestHttp({ host: '127.0.0.1', port: this.#port, method, path, headers, agent: false });
    const fail = () => {
      if (response.headersSent) response.destroy();
      else answerText(response, 502, 'modal-http: bad gateway');
    };
    onward.on('error', fail);
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', fail);
      answer.on('aborted', fail);
    });
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  }

  /** Preempted: gone in an instant, with everything in its memory. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Scaled down: asked to stop first. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#state = 'gone';
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    // The channel is the order to stop; a worker under one leaves signals to its launcher.
    if (signal === 'SIGTERM' && child.connected) child.send({ type: 'stop' });
    else child.kill(signal);
    await exited;
  }
}

export function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
