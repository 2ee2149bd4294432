import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { asksToWait, type ErrorCode, errorCodes } from '../../crypto/protocol/messages/error-codes.ts';
import { CryptoError } from '../../crypto/protocol/bytes/errors.ts';
import { CallRefused } from '../../process/http/call-refused.ts';
import type { Log } from '../log.ts';

/** Every 503 carries this: a turn that ends makes room, and a model that loads is ready when it is. */
const retryAfterSeconds = 2;

export type Call = { readonly request: IncomingMessage; readonly response: ServerResponse };
type Route = (call: Call) => Promise<void> | void;
/** By path and method. */
export type Routes = Readonly<Record<string, Readonly<Record<string, Route>>>>;

/** The one error that the worker answers with (SPEC.md §10.2). */
export class WorkerError extends CallRefused<ErrorCode> {
  override readonly name = 'WorkerError';
}

/** Hears calls that carry the token, finds their route, and answers for what a route throws. */
export class Listener {
  readonly #server: Server;
  readonly #routes: Routes;
  readonly #log: Log;
  readonly #tokenHash: Buffer;

  constructor(token: string, routes: Routes, log: Log) {
    this.#tokenHash = hashToken(token);
    this.#routes = routes;
    this.#log = log;
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      void this.#handle({ request, response });
    });
  }

  /** @returns the port. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve());
    });
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #handle(call: Call): Promise<void> {
    try {
      if (!this.#isAuthorized(call.request)) return this.#refuse(call, 'not-signed-in');
      const methods = this.#routes[new URL(call.request.url ?? '/', 'http://worker').pathname];
      const route = methods?.[call.request.method ?? ''];
      if (methods === undefined) return this.#refuse(call, 'not-found');
      if (route === undefined) return this.#refuse(call, 'method-not-allowed');
      await route(call);
    } catch (error) {
      if (error instanceof WorkerError) return this.#refuse(call, error.code);
      if (error instanceof CryptoError) return this.#refuse(call, 'bad-request');
      // The error itself may hold what somebody wrote; its class does not.
      this.#log('error', {
        event: 'internal-error',
        kind: error instanceof Error ? error.constructor.name : 'unknown',
      });
      this.#refuse(call, 'internal-error');
    }
  }

  #isAuthorized(request: IncomingMessage): boolean {
    const token = /^Bearer ([\x21-\x7e]{1,512})$/.exec(request.headers.authorization ?? '')?.[1];
    // Hashes are of one length, whatever was sent.
    return timingSafeEqual(hashToken(token ?? ''), this.#tokenHash) && token !== undefined;
  }

  #refuse({ request, response }: Call, code: ErrorCode): void {
    this.#log('debug', { event: 'call-refused', code });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // Unread bytes of a body would be taken for the next call.
    if (!request.complete) response.setHeader('connection', 'close');
    if (asksToWait(code)) response.setHeader('retry-after', retryAfterSeconds);
    sendJson(response, errorCodes[code].status, { error: code });
  }
}

export function sendJson(response: ServerResponse, status: number, document: object): void {
  const body = Buffer.from(JSON.stringify(document));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
  });
  response.end(body);
}

function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
