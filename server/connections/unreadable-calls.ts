import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorBody } from '../api/route/error-answer.ts';
import { securityHeaders } from '../api/pages/security-headers.ts';

/** The rest of the longest body comes in so many packets; each is told as one more error. */
const mostErrors = 1_024;

/** Ends HTTP/1.1 connections on which something came that is no call: with one answer, behind those of the calls before it. */
export class UnreadableCalls {
  readonly #isHttps: boolean;
  readonly #lingerMs: number;
  readonly #errors = new WeakMap<Socket, number>();

  /** @param lingerMs - How long a peer that was answered may leave its own side open. */
  constructor(isHttps: boolean, lingerMs: number) {
    this.#isHttps = isHttps;
    this.#lingerMs = lingerMs;
  }

  /**
   * Told of each error, of which Node tells as many as packets come.
   *
   * @param answers - Those under way on this connection, as they change; undefined: it is none of HTTP/1.1.
   */
  end(socket: Socket, answers: ReadonlySet<ServerResponse> | undefined, code: string | undefined): void {
    const errors = (this.#errors.get(socket) ?? 0) + 1;
    this.#errors.set(socket, errors);
    if (answers === undefined || errors > mostErrors) return void socket.destroy();
    if (errors > 1) return;
    // Of a connection that asked for a tunnel Node has let go: nobody else hears that it was reset, and the process would end.
    socket.on('error', () => undefined);
    // Of this one the body is broken: what is said now is its answer, unless it has one already.
    const broken = [...answers].find((response) => !response.req.complete);
    const endWhenAnswered = () => {
      const earlier = [...answers].find((response) => response !== broken || response.headersSent);
      if (earlier !== undefined) return void earlier.once('close', endWhenAnswered);
      // It ends already, behind its last answer.
      if (!socket.writable) return;
      socket.end(broken?.headersSent === true ? '' : this.#answerTo(code));
      // Read to its end: a connection that is cut with something unread takes the answer with it.
      socket.resume();
      const linger = setTimeout(() => socket.destroy(), this.#lingerMs);
      socket.once('close', () => clearTimeout(linger));
    };
    endWhenAnswered();
  }

  /** To what is no HTTP/1.1 at all, is too long, or does not come to its end. */
  #answerTo(code: string | undefined): string {
    const status =
      code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? '408 Request Timeout'
          : '400 Bad Request';
    const body = errorBody('bad-request');
    const headers = [
      ...securityHeaders(this.#isHttps),
      ['Content-Type', 'application/json'],
      ['Content-Length', String(body.length)],
      ['Connection', 'close'],
    ];
    return `HTTP/1.1 ${status}\r\n${headers.map((header) => header.join(': ')).join('\r\n')}\r\n\r\n${body}`;
  }
}
