import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listen } from '../../server/connections/listener.ts';
import { RateLimiter } from '../../server/api/guards/rate-limit.ts';
import { createLog } from '../../process/event-log.ts';
import { connect as connectHttp2 } from 'node:http2';
import { PassThrough, type Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeCertificate } from '../parts/network/certificate-files.ts';
import { findFreePort } from '../parts/network/free-port.ts';
import {
  guideConfiguration,
  hasCaddy,
  hasNginx,
  startCaddy,
  startNginx,
  withoutCaddy,
  withoutNginx,
} from '../parts/network/nginx.ts';
import { quickSignUp } from '../parts/users/without-keys/quick-account.ts';
import { ScriptedWorker } from '../parts/worker/scripted-worker.ts';
import { openTestRelay } from '../parts/relay/in-process/test-relay.ts';

type Call = {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
  readonly from?: string;
};

/** Calls as a browser on this machine makes them; the certificate is nobody's. */
function callerOf(port: number) {
  return async (path: string, { body, from = '127.0.0.1', headers = {}, method = 'GET' }: Call = {}) => {
    const place = { host: '127.0.0.1', port, path, method, localAddress: from, agent: false };
    const request = requestHttps({
      ...place,
      rejectUnauthorized: false,
      servername: 'localhost',
      headers: { host: `localhost:${port}`, ...headers, ...(body && { 'content-length': Buffer.byteLength(body) }) },
    });
    request.on('error', () => undefined);
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { request, response };
  };
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += String(piece);
  return text;
}

type Sending = {
  readonly headers?: Record<string, string>;
  readonly protocol?: 'h2' | 'http/1.1';
  /** Each has 128 KiB. */
  readonly pieces: number;
  readonly pauseMs?: number;
};

/** Sends white space in pieces, whatever is answered meanwhile. */
async function sendPieces(port: number, path: string, { headers, pauseMs = 0, pieces, protocol = 'h2' }: Sending) {
  const piece = Buffer.alloc(128 * 1024, ' ');
  const allHeaders = { ...json, ...headers, 'content-length': String(pieces * piece.length) };
  const write = async (stream: Writable) => {
    for (let index = 0; index < pieces && stream.writable; index++) {
      stream.write(piece);
      await sleep(pauseMs);
    }
    stream.end();
  };
  if (protocol === 'h2') {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, servername: 'localhost' });
    onTestFinished(() => session.destroy());
    const names = { ':method': 'POST', ':path': path, ':authority': `localhost:${port}` };
    const stream = session.request({ ...names, ...allHeaders });
    let text = '';
    stream.on('error', () => undefined).setEncoding('utf8');
    stream.on('data', (part: string) => (text += part));
    const answered = once(stream, 'response') as Promise<[{ ':status'?: number }]>;
    const closed = once(stream, 'close');
    await write(stream);
    const [answer] = await answered;
    await closed;
    return [answer[':status'], text] as const;
  }
  const place = { host: '127.0.0.1', port, path, method: 'POST', agent: false };
  const request = requestHttps({
    ...place,
    rejectUnauthorized: false,
    servername: 'localhost',
    headers: { host: `localhost:${port}`, ...allHeaders },
  });
  request.on('error', () => undefined);
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  const text = answered.then(([response]) => readText(response));
  await write(request);
  return [(await answered)[0].statusCode, await text] as const;
}

const json = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };

/** A relay as the guide says, and the proxy that a test starts before it. */
async function startBehind(start: (relayPort: number, port: number) => Promise<AsyncDisposable>) {
  const port = await findFreePort();
  const environment = {
    PUBLIC_URL: `https://localhost:${port}`,
    CLIENT_ADDRESS_HEADER: 'x-client-address',
    TRUSTED_PROXIES: '127.0.0.1',
  };
  const limiter = new RateLimiter({ now: () => 1_000 });
  const relay = await openTestRelay('sqlite', { environment, limiter });
  const settings = { host: '127.0.0.1', port: 0, tls: null, isHttps: true };
  const listener = await listen(relay.relay.app, settings);
  onTestFinished(() => listener.close(100));
  const proxy = await start(listener.port, port);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return { relay, port, call: callerOf(port) };
}

async function startGuideNginx(relayPort: number, port: number): Promise<AsyncDisposable> {
  const { files } = await writeCertificate();
  const configuration = guideConfiguration('nginx', {
    'server 127.0.0.1:8787 max_fails=0;': `server 127.0.0.1:${relayPort} max_fails=0;`,
    'listen 443 ssl http2;': `listen 127.0.0.1:${port} ssl http2;`,
    'server_name your.name;': 'server_name localhost;',
    '/etc/ssl/your.name.pem': files.certFile,
    '/etc/ssl/your.name.key': files.keyFile,
  });
  return startNginx(configuration, port);
}

async function startGuideCaddy(relayPort: number, port: number): Promise<AsyncDisposable> {
  const caddyfile = guideConfiguration('caddy', {
    // No certificate of a test is put among those that the machine trusts.
    'admin off': 'admin off\n\tskip_install_trust',
    'http_port 8080': `http_port ${await findFreePort()}`,
    'https_port 8443': `https_port ${port}`,
    'reverse_proxy relay:8787 {': `reverse_proxy 127.0.0.1:${relayPort} {`,
    'http://127.0.0.1:8081 {': `http://127.0.0.1:${await findFreePort()} {`,
  });
  return startCaddy(caddyfile, port, `https://localhost:${port}`);
}

describe.each([
  ['nginx', hasNginx, withoutNginx, startGuideNginx],
  ['Caddy', hasCaddy, withoutCaddy, startGuideCaddy],
] as const)('the guide’s %s', (_name, isInstalled, because, start) => {
  test.skipIf(!isInstalled)(`bodies up to the longest message go through${because}`, async () => {
    const { port, relay } = await startBehind(start);
    const { accessToken } = (await quickSignUp(relay, 'alice')).session;
    const headers = { authorization: `Bearer ${accessToken}` };
    const answer = [400, '{"error":"bad-request"}'];
    // The relay's own answers: no proxy refused the length.
    expect(await sendPieces(port, '/v1/items', { headers, pieces: 1 })).toEqual(answer);
    expect(await sendPieces(port, '/v1/turns', { headers, pieces: 47 * 8 })).toEqual(answer);
  });

  test.skipIf(!isInstalled)(
    `answers that are given before a slow body was read arrive, over HTTP/1.1 and HTTP/2${because}`,
    async () => {
      const { port } = await startBehind(start);
      const cases = [
        ['/v1/recovery/start', 413],
        ['/v1/items', 401],
      ] as const;
      for (const [path, status] of cases) {
        const answer = [status, `{"error":"${status === 413 ? 'too-large' : 'not-signed-in'}"}`];
        for (const protocol of ['http/1.1', 'h2'] as const) {
          expect(await sendPieces(port, path, { protocol, pieces: 24, pauseMs: 60 })).toEqual(answer);
        }
      }
    },
  );

  test.skipIf(!isInstalled)(
    `live responses pass unbuffered, cookies are Secure, addresses are the clients’${because}`,
    async () => {
      const { call, relay } = await startBehind(start);
      const { cookie, session } = await quickSignUp(relay, 'alice');
      const { request, response } = await call('/v1/live', {
        headers: { authorization: `Bearer ${session.accessToken}` },
      });
      // The first record is here while the response stands.
      const [piece] = (await once(response, 'data')) as [Buffer];
      expect([response.statusCode, piece.length, response.complete]).toEqual([200, 41, false]);
      request.destroy();
      const renewed = await call('/v1/session/refresh', {
        method: 'POST',
        headers: { ...json, cookie },
        body: '{"format":1}',
      });
      expect([renewed.response.statusCode, renewed.response.headers['set-cookie']?.[0]]).toEqual([
        200,
        expect.stringMatching(/^__Host-.*; Secure$/),
      ]);
      const signUp = async (from: string, headers = {}) => {
        const answer = await call('/v1/sign-up/start', {
          method: 'POST',
          from,
          headers: { ...json, ...headers },
          body: '{}',
        });
        answer.response.resume();
        return answer.response.statusCode;
      };
      const statuses = [];
      // An address that a client writes there itself does not count.
      for (let index = 0; index < 31; index++) {
        statuses.push(await signUp('127.0.0.2', { 'x-client-address': `198.51.100.${index}` }));
      }
      expect(statuses).toEqual([...Array.from({ length: 30 }, () => 400), 429]);
      expect(await signUp('127.0.9.3')).toBe(400);
    },
  );
});

test('a proxy that no setting names is one line in the log; without such headers there is none', async () => {
  const output = new PassThrough();
  const log = createLog('warn', output);
  const relay = await openTestRelay('sqlite', { log });
  await relay.call('GET', '/v1/version');
  expect(output.read()).toBe(null);
  for (let index = 0; index < 3; index++) {
    await relay.call('GET', '/v1/version', { headers: { 'x-forwarded-for': '203.0.113.9' } });
  }
  const lines = String(output.read()).trim().split('\n');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('"event":"unknown-proxy"');
  expect(lines[0]).not.toContain('203.0.113.9');
  const known = await openTestRelay('sqlite', {
    log,
    environment: { CLIENT_ADDRESS_HEADER: 'x-forwarded-for', TRUSTED_PROXIES: '127.0.0.1' },
  });
  const listener = await listen(known.relay.app, { host: '127.0.0.1', port: 0, tls: null, isHttps: false });
  onTestFinished(() => listener.close(0));
  const headers = { 'x-forwarded-for': '203.0.113.9' };
  expect((await fetch(`http://127.0.0.1:${listener.port}/v1/version`, { headers })).status).toBe(200);
  expect(output.read()).toBe(null);
});

test('a worker with another ENCLAVE_TOKEN is one line in the log and a code of its own; with the same there is neither', async () => {
  const worker = await new ScriptedWorker().start();
  onTestFinished(() => worker.stop());
  const ask = async (token: string) => {
    const output = new PassThrough();
    const environment = { ENCLAVE_URLS: worker.url, ENCLAVE_TOKEN: token };
    const relay = await openTestRelay('sqlite', { log: createLog('warn', output), environment });
    const { accessToken } = (await quickSignUp(relay, 'alice')).session;
    const body = { format: 1, nonce: 'A'.repeat(43), model: 'test-model' };
    const answers = [];
    for (let index = 0; index < 2; index++) {
      answers.push((await relay.call('POST', '/v1/enclaves', { token: accessToken, body })).status);
    }
    const { json: last } = await relay.call('POST', '/v1/enclaves', { token: accessToken, body });
    return { answers, last, log: String(output.read() ?? '') };
  };
  const wrong = await ask('y'.repeat(40));
  expect([wrong.answers, wrong.last]).toEqual([[502, 502], { error: 'enclave-token-refused' }]);
  expect(wrong.log.match(/"event":"enclave-token-refused"/g)).toHaveLength(1);
  const right = await ask(worker.token);
  expect([right.answers, right.log.includes('enclave-token-refused')]).toEqual([[200, 200], false]);
});
