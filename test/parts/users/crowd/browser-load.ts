import type { LoadReport, LoadSettings } from './load-generator.ts';
import { PinnedProcess } from '../../machine/pinned-process.ts';

type Message = Partial<LoadReport> & {
  readonly connected?: true;
  readonly started?: true;
  readonly failed?: string;
};

/** The load generator in a process of its own. */
export class BrowserLoad implements AsyncDisposable {
  readonly #process = new PinnedProcess(1, 'test/parts/users/crowd/load-generator.ts', {});

  /** Resolves when every browser has its live response. */
  async connect(settings: LoadSettings): Promise<void> {
    this.#process.send({ settings });
    await this.#expect('connected');
  }

  /** Resolves when every turn was accepted. */
  started(): Promise<void> {
    return this.#expect('started');
  }

  /** Counts for a while from now on. */
  async measure(durationMs: number): Promise<LoadReport> {
    this.#process.send({ reset: true });
    await new Promise((resolve) => setTimeout(resolve, durationMs));
    this.#process.send({ report: true });
    return (await this.#process.message<Message>()) as LoadReport;
  }

  async #expect(name: 'connected' | 'started'): Promise<void> {
    const message = await this.#process.message<Message>();
    if (message[name] !== true) throw new Error(message.failed ?? 'The load generator lost its order.');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}
