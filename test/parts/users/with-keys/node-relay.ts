import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { LiveRecordSplitter } from '../../../../crypto/protocol/messages/live-record.ts';

export type RelayAnswer = { readonly status: number; readonly bytes: Buffer; readonly json: unknown };

/** Calls to a relay from Node, on kept connections, with the token of one session. */
export class NodeRelay {
  readonly url: URL;
  accessToken = '';
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string) {
    this.url = new URL(url);
  }

  #open(method: string, path: string, headers: Record<string, string | number>) {
    const bearer = this.accessToken === '' ? {} : { authorization: `Bearer ${this.accessToken}` };
    const { hostname: host, port } = this.url;
    return requestHttp({ agent: this.#agent, host, port, method, path, headers: { ...bearer, ...headers } });
  }

  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<RelayAnswer> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
    const request = this.#open(method, path, { ...headers, 'content-length': Buffer.byteLength(text) });
    return new Promise((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => {
        readAll(response).then((bytes) => {
          const isJson = response.headers['content-type']?.startsWith('application/json') === true;
          const json: unknown = isJson ? JSON.parse(bytes.toString('utf8')) : null;
          resolve({ status: response.statusCode ?? 0, bytes, json });
        }, reject);
      });
      request.end(text);
    });
  }

  /** @throws {Error} with status and code for any other status. */
  async expect<T>(status: number, method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
    const answer = await this.call(method, path, body);
    if (answer.status !== status) {
      throw new Error(`${method} ${path} gave ${answer.status}: ${answer.bytes.toString('utf8').slice(0, 200)}`);
    }
    return answer.json as T;
  }

  /** Opens the live response. Resolves when it stands; the callback gets raw records from then on. */
  watch(onRecord: (record: Uint8Array) => void, onEnd: () => void = () => undefined): Promise<() => void> {
    const request = this.#open('GET', '/v1/live', {});
    return new Promise((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => {
        const splitter = new LiveRecordSplitter();
        response.on('data', (piece: Buffer) => {
          for (const record of splitter.push(piece)) onRecord(record);
        });
        response.on('error', () => undefined);
        response.on('close', onEnd);
        if (response.statusCode === 200) resolve(() => void request.destroy());
        else reject(new Error(`The live response gave ${response.statusCode}.`));
      });
      request.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of response as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces);
}
