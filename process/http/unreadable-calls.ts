import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The rest of the longest body comes in so many packets; each is told as one more error. */
const mostErrors = 1_024;

/** The status for bytes that are no HTTP/1.1 at all, are too long, or do not come to their end. */
export type UnreadableStatus = '400 Bad Request' | '431 Request Header Fields Too Large' | '408 Request Timeout';

/** Ends HTTP/1.1 connections on which something came that is no call: with one answer, behind those of the calls before it. */
export class UnreadableCalls {
  readonly #lingerMs: number;
  readonly #answerTo: (socket: Duplex, status: UnreadableStatus) => string | null;
  readonly #errors = new WeakMap<Duplex, number>();

  /**
   * @param dependencies.lingerMs - How long a peer that was answered may leave its own side open.
   * @param dependencies.answerTo - Makes the whole answer; null: it gets none, and its connection ends.
   */
  constructor(dependencies: {
    readonly lingerMs: number;
    readonly answerTo: (socket: Duplex, status: UnreadableStatus) => string | null;
  }) {
    this.#lingerMs = dependencies.lingerMs;
    this.#answerTo = dependencies.answerTo;
  }

  /**
   * Told of each error, of which Node tells as many as packets come.
   *
   * @param answers - The answers under way on this connection, as they change; undefined: it is none of HTTP/1.1.
   */
  end(socket: Duplex, answers: ReadonlySet<ServerResponse> | undefined, code: string | undefined): void {
    const errors = (this.#errors.get(socket) ?? 0) + 1;
    this.#errors.set(socket, errors);
    if (answers === undefined || errors > mostErrors) return void socket.destroy();
    if (errors > 1) return;
    // Node has let go of a connection that asked for a tunnel: nobody else hears of its reset, and the process would end.
    socket.on('error', () => undefined);
    // The body of this one is broken: what is said now is its answer, unless it has one already.
    const broken = [...answers].find((response) => !response.req.complete);
    const endWhenAnswered = () => {
      const earlier = [...answers].find((one) => !one.closed && (one !== broken || one.headersSent));
      if (earlier !== undefined) return void earlier.once('close', endWhenAnswered);
      // It ends already, behind its last answer.
      if (!socket.writable) return;
      const answer = broken?.headersSent === true ? '' : this.#answerTo(socket, statusOf(code));
      if (answer === null) return void socket.destroy();
      socket.end(answer);
      // Read to its end: a connection that is cut with something unread takes the answer with it.
      socket.resume();
      const linger = setTimeout(() => socket.destroy(), this.#lingerMs);
      socket.once('close', () => clearTimeout(linger));
    };
    endWhenAnswered();
  }
}

function statusOf(code: string | undefined): UnreadableStatus {
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
}

/** The bytes of an answer by which a connection of HTTP/1.1 ends. */
export function lastAnswer(
  status: UnreadableStatus,
  headers: Iterable<readonly [name: string, value: string]>,
  body: string,
): string {
  const lines = [`HTTP/1.1 ${status}`, ...[...headers].map((header) => header.join(': ')), 'Connection: close'];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
