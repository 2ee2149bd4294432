import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  answerChat,
  cutByScript,
  fail,
  newestMessage,
  readText,
  refuseLong,
  sendJson,
  type ChatRequest,
  type UpstreamScript,
} from './upstream-answers.ts';

export { newestMessage };
export type { ChatRequest, UpstreamScript };

/** One chat completion request as it arrived. */
export interface RecordedRequest {
  readonly authorization: string | undefined;
  readonly body: ChatRequest;
  /** True once the caller went away before the answer was whole. */
  isAborted: boolean;
}

/** A model server on loopback that speaks OpenAI's chat completions, streamed and whole, and `/v1/models`. */
export interface Upstream extends AsyncDisposable {
  /** The value for `LLM_BASE_URL`: ends in `/v1`. */
  readonly baseUrl: string;
  /** Every chat completion request so far, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** Sets how requests that arrive from now on are answered. */
  answerWith(script: UpstreamScript): void;
  /** Closes the listener and every connection. */
  stop(): Promise<void>;
}

/**
 * Starts the peer on a free port.
 *
 * @param models - What `/v1/models` lists. Default: `['test-model']`.
 */
export async function startUpstream(models: readonly string[] = ['test-model']): Promise<Upstream> {
  const requests: RecordedRequest[] = [];
  let script: UpstreamScript = {};
  const server = createServer((request, response) => {
    route(request, response).catch(() => response.destroy());
  });

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = `${request.method} ${request.url}`;
    if (call === 'GET /v1/models') {
      return sendJson(response, 200, { object: 'list', data: models.map((id) => ({ id, object: 'model' })) });
    }
    if (call !== 'POST /v1/chat/completions') return sendJson(response, 404, { error: { message: `No ${call} here` } });
    const body = JSON.parse(await readText(request)) as ChatRequest;
    const record: RecordedRequest = { authorization: request.headers.authorization, body, isAborted: false };
    requests.push(record);
    const current = script;
    response.once('close', () => {
      record.isAborted = !response.writableFinished && !cutByScript.has(response);
    });
    if (refuseLong(current, body, response)) return;
    await (current.failWith === undefined
      ? answerChat(current, body, response)
      : fail(current.failWith, body, response));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The listener has no port.');
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    baseUrl: `http://127.0.0.1:${address.port}/v1`,
    requests,
    answerWith: (next) => {
      script = next;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
