import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../../../server/connections/listener.ts';
import { contentSecurityPolicy } from '../../../../server/api/pages/security-headers.ts';
import { writeCertificate } from '../../../parts/network/certificate-files.ts';
import { nameTagOf, quickSignUp } from '../../../parts/users/without-keys/quick-account.ts';
import { openTestRelay } from '../../../parts/relay/in-process/test-relay.ts';

const recovery = JSON.stringify({ format: 1, nameTag: nameTagOf('alice') });

async function listening(environment: Record<string, string> = {}) {
  const relay = await openTestRelay('sqlite', { environment });
  const settings = { host: '127.0.0.1', port: 0, tls: null, isHttps: relay.relay.isHttps };
  const listener = await listen(relay.relay.app, settings);
  onTestFinished(() => listener.close(0));
  return { relay, port: listener.port };
}

/** One request, byte for byte. @returns the answer likewise. */
async function send(port: number, ...lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (piece: string) => (received += piece));
  // Not ended: Node drops a call whose sender has said that it sends nothing more.
  socket.write(lines.join('\r\n'), 'latin1');
  await once(socket, 'close');
  return received;
}

const statusOf = (answer: string) => Number(answer.slice(9, 12));

/** A call of the API and a page, under one `Host`. */
async function under(port: number, host: string) {
  const json = [`content-length: ${recovery.length}`, 'content-type: application/json', 'connection: close'];
  const api = await send(port, 'POST /v1/recovery/start HTTP/1.1', `host: ${host}`, ...json, '', recovery);
  const page = await send(port, 'GET /sign-in HTTP/1.1', `host: ${host}`, 'connection: close', '', '');
  const script = await send(port, 'GET /assets/none.js HTTP/1.1', `host: ${host}`, 'connection: close', '', '');
  const live = await send(port, 'GET /livez HTTP/1.1', `host: ${host}`, 'connection: close', '', '');
  return {
    api: statusOf(api),
    page: statusOf(page),
    script: statusOf(script),
    live: statusOf(live),
    code: api.slice(-30),
  };
}

/** The client may be built here or not. */
const anyPage = expect.toBeOneOf([200, 503]) as number;
const taken = { api: 200, page: anyPage, script: 404, live: 200 };

test('without PUBLIC_URL: names of this machine are taken in every spelling', async () => {
  const { port } = await listening();
  for (const host of [
    'localhost',
    `localhost:${port}`,
    'LOCALHOST:1',
    'localhost.',
    'sotto.localhost',
    '127.0.0.1',
    `127.0.0.1:${port}`,
    '127.7.7.7',
    '[::1]',
    `[::1]:${port}`,
  ]) {
    expect([host, await under(port, host)]).toMatchObject([host, taken]);
  }
});

test('without PUBLIC_URL: a stranger’s name is refused for page and API alike, as when a page rebinds its DNS', async () => {
  const { port } = await listening();
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evillocalhost',
    '192.168.1.5:8787',
    '0.0.0.0',
    '[fe80::1]',
  ]) {
    const answers = await under(port, host);
    expect([host, answers]).toMatchObject([host, { api: 403, page: 403, script: 403, live: 200 }]);
    expect(answers.code).toContain('"https-required"');
  }
});

test('with PUBLIC_URL: its name and those of HOST_NAMES are taken, and no other, of this machine neither', async () => {
  const environment = { PUBLIC_URL: 'https://chat.example:8443', HOST_NAMES: 'Other.example, [2001:db8::5]' };
  const { port } = await listening(environment);
  for (const host of [
    'chat.example:8443',
    'chat.example',
    'CHAT.example.',
    'other.example',
    'other.example:443',
    '[2001:db8::5]:443',
  ]) {
    expect([host, await under(port, host)]).toMatchObject([host, taken]);
  }
  for (const host of [
    'evil.example',
    'a.chat.example',
    'chat.example.evil',
    'localhost',
    '127.0.0.1',
    '10.0.0.7:8787',
  ]) {
    const answers = await under(port, host);
    expect([host, answers]).toMatchObject([host, { api: 421, page: 421, script: 421, live: 200 }]);
    expect(answers.code).toContain('"wrong-host"');
  }
});

test('an https origin is own under its own name alone', async () => {
  const relay = await openTestRelay('sqlite', {
    environment: { PUBLIC_URL: 'https://chat.example', HOST_NAMES: 'other.example' },
  });
  const status = async (host: string, origin: string) =>
    (await relay.call('POST', '/v1/recovery/start', { body: recovery, headers: { host, origin } })).status;
  expect(await status('chat.example', 'https://chat.example')).toBe(200);
  expect(await status('other.example', 'https://other.example')).toBe(200);
  for (const [host, origin] of [
    ['chat.example', 'https://other.example'],
    ['other.example', 'https://chat.example'],
    ['chat.example', 'http://chat.example'],
    ['chat.example', 'https://evil.example'],
  ] as const) {
    expect([host, origin, await status(host, origin)]).toEqual([host, origin, 403]);
  }
});

test('over plain http no cookie without Secure leaves for a name that is not this machine', async () => {
  const relay = await openTestRelay('sqlite');
  const { cookie } = await quickSignUp(relay, 'alice');
  const refresh = (host: string) =>
    relay.call('POST', '/v1/session/refresh', {
      body: { format: 1 },
      headers: { host, cookie, origin: `http://${host}` },
    });
  const stranger = await refresh('chat.example');
  expect([stranger.status, stranger.json, stranger.headers.get('set-cookie')]).toEqual([
    403,
    { error: 'https-required' },
    null,
  ]);
  const own = await refresh('localhost:8787');
  expect([own.status, own.headers.get('set-cookie') === null]).toEqual([200, false]);
});

test('a request names one host: twice, none, another in its target, or none at all is refused with all headers', async () => {
  const { port } = await listening();
  const end = ['connection: close', '', ''];
  for (const lines of [
    ['GET /v1/version HTTP/1.1', 'host: localhost', 'host: localhost', ...end],
    ['GET /v1/version HTTP/1.1', 'host: localhost', 'Host: evil.example', ...end],
    ['GET /v1/version HTTP/1.0', ...end],
    ['GET http://evil.example/v1/version HTTP/1.1', 'host: localhost', ...end],
    ['GET http://localhost:1/v1/version HTTP/1.1', 'host: localhost', ...end],
    ['GET ftp://localhost/v1/version HTTP/1.1', 'host: localhost', ...end],
    ['GET localhost/v1/version HTTP/1.1', 'host: localhost', ...end],
    ['GET /v1/version HTTP/1.1', 'host: local host', ...end],
    ['GET /v1/version HTTP/1.1', 'host: localhost@evil.example', ...end],
    ['GET /v1/version HTTP/1.1', 'host: localhost/', ...end],
    ['GET /v1/version HTTP/1.1', 'host:', ...end],
    ['GET /v1/version HTTP/1.1', ...end],
    ['GET /v1/version HTTP/1.1', 'host: localhost', 'expect: the unexpected', ...end],
    ['GET /v1/version HTTP/1.1', 'host: localhost', 'content-length: 1', 'transfer-encoding: chunked', ...end],
    ['GET /v1/version HTTP/1.1', 'host: localhost', 'a b: c', ...end],
    ['NONSENSE', ...end],
  ]) {
    const answer = await send(port, ...lines);
    expect([lines, statusOf(answer)]).toEqual([lines, expect.toBeOneOf([400, 403])]);
    expect(answer).toContain(`Content-Security-Policy: ${contentSecurityPolicy}\r\n`);
    expect(answer).toMatch(/\{"error":"(bad-request|https-required)"\}/);
  }
  for (const lines of [
    ['GET /v1/version HTTP/1.1', 'host: localhost', ...end],
    ['GET http://localhost/v1/version HTTP/1.1', 'host: localhost', ...end],
    ['GET http://LOCALHOST:80/v1/version HTTP/1.1', 'host: localhost', ...end],
    ['GET /v1/version HTTP/1.0', 'host: localhost', ...end],
  ]) {
    expect([lines, statusOf(await send(port, ...lines))]).toEqual([lines, 200]);
  }
});

test('a probe with HTTP/1.0, such as HAProxy’s, need not name a host; health alone is answered so', async () => {
  for (const environment of [{}, { PUBLIC_URL: 'https://chat.example' }]) {
    const { port } = await listening(environment);
    for (const path of ['/livez', '/healthz', '/readyz']) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await send(port, `${method} ${path} HTTP/1.0`, '', '');
        // Client and worker may be there or not.
        const wanted = path === '/livez' ? 200 : anyPage;
        expect([method, path, statusOf(answer)]).toEqual([method, path, wanted]);
        expect(answer).toContain(`Content-Security-Policy: ${contentSecurityPolicy}\r\n`);
      }
      // HTTP/1.1 has to name one (RFC 9112, 3.2), and two are two whoever asks.
      expect(statusOf(await send(port, `GET ${path} HTTP/1.1`, 'connection: close', '', ''))).toBe(400);
      const named = ['host: chat.example', 'host: evil.example'];
      expect(statusOf(await send(port, `GET ${path} HTTP/1.0`, ...named, '', ''))).toBe(400);
    }
    for (const target of [
      '/',
      '/sign-in',
      '/v1/version',
      '/livez/',
      '/livez?x',
      '/livez/../v1/version',
      '//livez',
      'http://localhost/livez',
      'http://evil.example/v1/version',
    ]) {
      expect([target, statusOf(await send(port, `GET ${target} HTTP/1.0`, '', ''))]).toEqual([target, 400]);
    }
    for (const method of ['POST', 'OPTIONS']) {
      const asked = await send(port, `${method} /livez HTTP/1.0`, '', '');
      expect([method, statusOf(asked)]).toEqual([method, expect.toBeOneOf([400, 403, 405, 421])]);
    }
  }
});

test('TLS of its own: the names of the certificate are taken; :authority and host must be one', async () => {
  const { cert, files: tls } = await writeCertificate();
  const relay = await openTestRelay('sqlite', { environment: { TLS_CERT: tls.certFile, TLS_KEY: tls.keyFile } });
  const listener = await listen(relay.relay.app, { host: '127.0.0.1', port: 0, tls, isHttps: true });
  onTestFinished(() => listener.close(0));
  const session = connectHttp2(`https://localhost:${listener.port}`, { ca: cert });
  onTestFinished(() => session.destroy());
  const status = async (headers: Record<string, string>) => {
    const stream = session.request({ ':path': '/v1/version', ...headers });
    const [answered] = (await once(stream, 'response')) as [Record<string, unknown>];
    stream.close();
    return answered[':status'];
  };
  expect(await status({})).toBe(200);
  expect(await status({ ':authority': `LOCALHOST:${listener.port}` })).toBe(200);
  expect(await status({ ':authority': 'localhost', host: 'localhost' })).toBe(200);
  expect(await status({ ':authority': 'localhost', host: 'evil.example' })).toBe(400);
  expect(await status({ ':authority': 'evil.example', host: 'localhost' })).toBe(400);
  expect(await status({ ':authority': 'evil.example' })).toBe(421);
  expect(await status({ ':authority': '203.0.113.9' })).toBe(421);
});
