import type { RegistrarErrorCode } from '../../crypto/protocol/messages/registrar-messages.ts';
import type { Log } from '../../process/event-log.ts';

const windowMs = 60_000;
/** Read by everyone at any time, and nobody's business. */
const quietRoutes: ReadonlySet<string> = new Set(['tile', 'checkpoint', 'health']);
/** These need a token of a container of ours to succeed. */
const statementRoutes: ReadonlySet<string> = new Set(['register', 'renew']);

export type Call = {
  /** `none` for a path that is not there, `unreadable` for what is no request. */
  readonly route: string;
  readonly status: number;
  readonly refusal: RegistrarErrorCode | null;
};

/**
 * Writes calls into the log. Each statement that was given has a line. A stranger may do other things as often as he likes: the
 * first of a kind in a minute has a line, and the others a number.
 */
export class CallLog {
  readonly #log: Log;
  readonly #windows = new Map<string, { readonly call: Call; readonly timer: NodeJS.Timeout; more: number }>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param defect - The error behind an `internal-error`. */
  note(call: Call, defect?: unknown): void {
    const { route, status, refusal } = call;
    if (refusal === null && statementRoutes.has(route)) return this.#log.info('call', call);
    if (quietRoutes.has(route) && defect === undefined) return;
    const kind = `${route} ${status} ${refusal}`;
    const open = this.#windows.get(kind);
    if (open !== undefined) return void (open.more += 1);
    this.#windows.set(kind, { call, timer: setTimeout(() => this.#end(kind), windowMs).unref(), more: 0 });
    if (defect !== undefined) this.#log.error('call-failed', { error: defect });
    this.#log.info('call', call);
  }

  /** Writes the numbers that are still open. */
  close(): void {
    for (const kind of this.#windows.keys()) this.#end(kind);
  }

  #end(kind: string): void {
    const open = this.#windows.get(kind);
    if (open === undefined) return;
    clearTimeout(open.timer);
    this.#windows.delete(kind);
    if (open.more > 0) this.#log.info('more-calls', { ...open.call, more: open.more });
  }
}
