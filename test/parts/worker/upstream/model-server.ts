import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ModelSource } from '../../../../enclave-worker/engines/weights/model-source.ts';

export type ModelServerScript = {
  /** Destroys the connection after so many bytes of each download. */
  readonly cutAfter?: number;
  /** Sends everything, whatever range is asked for. */
  readonly ignoresRange?: boolean;
  /** Names this digest instead of the right one; `null` names none. */
  readonly digest?: string | null;
  /** Redirects as Hugging Face does: names the file in the first answer, sends it from another path. */
  readonly redirects?: boolean;
  readonly status?: number;
  /** Says that the file is longer than what it sends. */
  readonly length?: number;
};

/** A server of model files on loopback that misbehaves as a test tells it. */
export interface ModelServer extends AsyncDisposable {
  readonly source: ModelSource;
  /** `GET` and its range, in order. */
  readonly downloads: string[];
  answerWith(script: ModelServerScript): void;
}

export async function startModelServer(file: Buffer, fileName = 'Tiny-Q4.gguf'): Promise<ModelServer> {
  let script: ModelServerScript = {};
  const downloads: string[] = [];
  const rightDigest = createHash('sha256').update(file).digest('hex');
  const server = createServer((request, response) => answer(request, response));

  function answer(request: IncomingMessage, response: ServerResponse): void {
    if (script.status !== undefined) return void response.writeHead(script.status).end();
    const digest = script.digest === undefined ? rightDigest : script.digest;
    const named = {
      ...(digest === null ? {} : { 'x-linked-etag': `"${digest}"` }),
      'x-linked-size': String(script.length ?? file.length),
    };
    if (script.redirects === true && request.url?.startsWith('/resolve') === true) {
      return void response.writeHead(302, { ...named, location: '/signed/file?key=1' }).end();
    }
    // A signed address is good for GET alone, as at Hugging Face.
    if (request.method === 'HEAD' && script.redirects === true) return void response.writeHead(403).end();
    if (request.method === 'HEAD') {
      return void response.writeHead(200, { ...named, 'content-length': script.length ?? file.length }).end();
    }
    downloads.push(`GET ${request.headers.range ?? ''}`.trim());
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const from = asked === null || script.ignoresRange === true ? 0 : Number(asked[1]);
    if (from >= file.length) return void response.writeHead(416).end();
    const body = file.subarray(from);
    response.writeHead(from === 0 ? 200 : 206, {
      'content-length': body.length,
      ...(from === 0 ? {} : { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` }),
    });
    if (script.cutAfter === undefined || script.cutAfter >= body.length) return void response.end(body);
    response.write(body.subarray(0, script.cutAfter), () => setTimeout(() => response.destroy(), 20));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    source: { url: `http://127.0.0.1:${port}/resolve/main/${fileName}`, fileName, sha256: null },
    downloads,
    answerWith: (next) => {
      script = next;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
