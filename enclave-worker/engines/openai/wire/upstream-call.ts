import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { decodedBody } from './decoded-body.ts';
import { SilentServer, silenceOf } from '../../engine/silent-server.ts';
import { readSocketPath } from '../../../../process/settings/value-kinds.ts';

/** Longest error body that is read; the rest of a longer one is not. */
const maximumShortBodyLength = 256 * 1024;

/**
 * Where a server's interface may begin, the likeliest first: as it was given, and below `/v1` where that was left out. A
 * copied address of one call counts as that of the interface.
 */
export function candidateUrls(baseUrl: string): readonly string[] {
  if (readSocketPath(baseUrl) !== null) return ['http://localhost/v1'];
  const url = new URL(baseUrl);
  url.hash = '';
  url.pathname = url.pathname.replace(/\/+$/, '').replace(/\/(chat\/completions|completions|models)$/, '');
  const given = withoutLastSlash(url);
  if (/\/v\d+[a-z0-9]*$/.test(url.pathname)) return [given];
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1`;
  return [withoutLastSlash(url), given];
}

function withoutLastSlash(url: URL): string {
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}${url.search}`;
}

/** @returns what a name and a password in an address mean, or undefined where there is none. */
function basicOf(baseUrl: string): string | undefined {
  if (readSocketPath(baseUrl) !== null) return undefined;
  const { username, password } = new URL(baseUrl);
  if (username === '' && password === '') return undefined;
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Calls one model server: plain `node:http`, since a fetch costs twice as much for each piece of a stream. */
export class UpstreamCaller {
  /** Where its interface begins. More than one until it is known which. */
  readonly candidates: readonly string[];
  readonly #socketPath: string | null;
  readonly #authorization: string | undefined;
  readonly #agent: HttpAgent;
  /** Connections that stand. */
  readonly #open = new Set<Socket>();
  #baseUrl: string;
  #generation = 0;

  /** @param baseUrl - The form of `LLM_BASE_URL`, with or without `/v1`, a name and a password. */
  constructor(baseUrl: string, apiKey: string | undefined) {
    this.#socketPath = readSocketPath(baseUrl);
    this.candidates = candidateUrls(baseUrl);
    this.#baseUrl = this.candidates[0] ?? baseUrl;
    this.#authorization = apiKey === undefined ? basicOf(baseUrl) : `Bearer ${apiKey}`;
    const options = { keepAlive: true, maxFreeSockets: 64 };
    this.#agent = this.#baseUrl.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /**
   * Counted up when a connection is made while none stands: a server that was restarted has cut them all, and may be
   * another one.
   */
  get generation(): number {
    return this.#generation;
  }

  /** From now on calls go below this one of the candidates. */
  useBase(baseUrl: string): void {
    this.#baseUrl = baseUrl;
  }

  /**
   * @param idleMs - The call fails when nothing arrives for so long.
   * @param baseUrl - Another candidate than the one in use.
   * @throws {EngineError} `model-unreachable` when there is no answer at all.
   */
  async call(input: {
    readonly path: string;
    readonly body?: unknown;
    readonly signal: AbortSignal;
    readonly idleMs: number;
    readonly baseUrl?: string;
  }): Promise<IncomingMessage> {
    const url = new URL(input.baseUrl ?? this.#baseUrl);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}${input.path}`;
    const text = input.body === undefined ? undefined : Buffer.from(JSON.stringify(input.body));
    try {
      return await this.#send(url, text, input, this.#agent);
    } catch (error) {
      // A kept connection that the server had closed meanwhile: a new one tells whether it is there.
      if (!(error instanceof StaleConnection)) throw error;
      this.#open.clear();
      return this.#send(url, text, input, false);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #note(socket: Socket): void {
    if (this.#open.has(socket)) return;
    const stands = [...this.#open].some((open) => !open.destroyed);
    if (!stands) this.#generation += 1;
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }

  #send(
    url: URL,
    text: Buffer | undefined,
    { signal, idleMs }: { readonly signal: AbortSignal; readonly idleMs: number },
    agent: HttpAgent | false,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      const request: ClientRequest = send(url, {
        method: text === undefined ? 'GET' : 'POST',
        agent,
        ...(this.#socketPath === null ? {} : { socketPath: this.#socketPath }),
        signal,
        headers: {
          accept: 'text/event-stream, application/json',
          'accept-encoding': 'identity',
          // Firewalls refuse callers without a name.
          'user-agent': 'sotto',
          ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
          ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': text.length }),
        },
      });
      request.setTimeout(idleMs, () => request.destroy(new SilentServer('no-answer-in-time')));
      request.once('socket', (socket) => this.#note(socket));
      request.once('response', resolve);
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (error instanceof SilentServer) return reject(error);
        const why = signal.aborted ? 'no-answer-in-time' : silenceOf(error.code ?? '');
        const isStale = request.reusedSocket && why === 'connection-lost';
        reject(isStale ? new StaleConnection(why) : new SilentServer(why));
      });
      request.end(text);
    });
  }
}

class StaleConnection extends SilentServer {}

/** Reads a short answer: JSON, else the text of its beginning. A text that is too long or cut counts as empty. */
export async function readShortBody(
  response: IncomingMessage,
  maximumLength = maximumShortBodyLength,
): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of decodedBody(response)) {
      length += chunk.length;
      if (length > maximumLength) {
        response.destroy();
        return '';
      }
      chunks.push(chunk);
    }
  } catch {
    return '';
  }
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text.slice(0, 2_000);
  }
}
