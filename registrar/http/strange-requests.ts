import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { watchPieces } from '../../process/http/node-parser.ts';
import { lastAnswer, UnreadableCalls } from '../../process/http/unreadable-calls.ts';
import { errorAnswer, headersOf } from './routes.ts';

/** How long the sender of something unreadable may take to read its answer. */
const lingerMs = 2_000;
/** The most chunks of a body of at most twelve kilobytes. */
const maximumChunks = 512;

/**
 * True if this is a request that all who pass it on read as we do: one host, a path as its target, no expectation but the known
 * one. The parser has refused a request with two lengths.
 */
export function isPlain({ rawHeaders, headers, httpVersion, url }: IncomingMessage): boolean {
  // Node's own object keeps the first `Host` alone.
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  const isOneHost = hosts === 1 || (hosts === 0 && httpVersion === '1.0');
  return isOneHost && url?.startsWith('/') === true && /^(100-continue)?$/i.test(headers.expect ?? '');
}

/** Answers what never becomes a request: a line or a body that the parser refuses, headers that are too long, a tunnel. */
export class UnreadableRequests {
  readonly #calls: UnreadableCalls;
  /** The answers of connections that speak HTTP; a TLS handshake that fails is none. */
  readonly #answers = new WeakMap<Duplex, Set<ServerResponse>>();

  /** @param onRefusal - Told of each; says whether there is an answer, or only an end. */
  constructor(server: Server, isTls: boolean, onRefusal: (socket: Duplex, status: number) => boolean) {
    this.#calls = new UnreadableCalls({
      lingerMs,
      answerTo: (socket, status) => {
        if (!onRefusal(socket, Number(status.slice(0, 3)))) return null;
        const answer = errorAnswer('bad-request');
        return lastAnswer(status, Object.entries(headersOf(answer)), String(answer.body));
      },
    });
    server.on(isTls ? 'secureConnection' : 'connection', (socket: Duplex) => {
      this.#answers.set(socket, new Set());
      watchPieces(socket, {
        isTooMany: (_call, { count }) => count > maximumChunks,
        onFlood: () => this.#end(socket),
      });
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#end(socket, error.code));
    server.on('connect', (_request, socket) => this.#end(socket));
  }

  /** Told of each request before it is answered. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    const answers = this.#answers.get(request.socket);
    answers?.add(response);
    response.once('close', () => {
      // The rest of a body whose call was answered may still break: it gets no second answer.
      if (request.complete) answers?.delete(response);
    });
  }

  #end(socket: Duplex, code?: string): void {
    this.#calls.end(socket, this.#answers.get(socket), code);
  }
}
