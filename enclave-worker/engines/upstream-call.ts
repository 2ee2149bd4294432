import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { EngineError } from './engine.ts';

/** Longest error body or list of models that is read; the rest of a longer one is not. */
const maximumShortBodyLength = 256 * 1024;

/** @returns the path of the socket that `unix:/…` names, or null for other addresses. */
export function readSocketPath(baseUrl: string): string | null {
  const [, path] = /^unix:(\/[^\0]{1,100})$/.exec(baseUrl) ?? [];
  return path ?? null;
}

/** Calls one model server: plain `node:http`, since a fetch costs twice as much for each piece of a stream. */
export class UpstreamCaller {
  readonly #baseUrl: string;
  readonly #socketPath: string | null;
  readonly #apiKey: string | undefined;
  readonly #agent: HttpAgent;

  /** @param baseUrl - As in `LLM_BASE_URL`: ends in `/v1` with most servers; for a socket, `/v1` is taken for granted. */
  constructor(baseUrl: string, apiKey: string | undefined) {
    this.#socketPath = readSocketPath(baseUrl);
    this.#baseUrl = this.#socketPath === null ? baseUrl.replace(/\/+$/, '') : 'http://localhost/v1';
    this.#apiKey = apiKey;
    const options = { keepAlive: true, maxFreeSockets: 64 };
    this.#agent = this.#baseUrl.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /**
   * @param idleMs - The call fails when nothing arrives for so long.
   * @throws {EngineError} `model-unreachable` when there is no answer at all.
   */
  call(input: {
    readonly path: string;
    readonly body?: unknown;
    readonly signal: AbortSignal;
    readonly idleMs: number;
  }): Promise<IncomingMessage> {
    const { path, body, signal, idleMs } = input;
    const url = `${this.#baseUrl}${path}`;
    const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const send = url.startsWith('https:') ? requestHttps : requestHttp;
      const request: ClientRequest = send(url, {
        method: text === undefined ? 'GET' : 'POST',
        agent: this.#agent,
        ...(this.#socketPath === null ? {} : { socketPath: this.#socketPath }),
        signal,
        headers: {
          accept: 'text/event-stream, application/json',
          ...(this.#apiKey === undefined ? {} : { authorization: `Bearer ${this.#apiKey}` }),
          ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': text.length }),
        },
      });
      request.setTimeout(idleMs, () => request.destroy(new EngineError('model-unreachable')));
      request.once('response', resolve);
      // The cause can name hosts and paths; a code says enough.
      request.once('error', () => reject(new EngineError('model-unreachable')));
      request.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Reads a short JSON answer; what is no JSON, too long or cut is `null`. */
export async function readShortJson(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maximumShortBodyLength) {
        response.destroy();
        return null;
      }
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    return null;
  }
}
