import { utimes, writeFile } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test, vi } from 'vitest';
import { listen } from '../../../server/connections/listener.ts';
import { contentSecurityPolicy } from '../../../server/api/pages/security-headers.ts';
import { quickSignUp } from '../../parts/users/without-keys/quick-account.ts';
import { makeSelfSigned } from '../../parts/network/self-signed.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';
import { openTestRelay, type TestRelay, type TestRelayOptions } from '../../parts/relay/in-process/test-relay.ts';

type Got = { status: number; headers: Record<string, unknown>; text: string; version: string };

async function listening(options: TestRelayOptions = {}, tls: { certFile: string; keyFile: string } | null = null) {
  const relay = await openTestRelay('sqlite', options);
  const settings = { host: '127.0.0.1', port: 0, tls, isHttps: tls !== null || relay.relay.isHttps };
  const listener = await listen(relay.relay.app, settings);
  onTestFinished(() => listener.close(100));
  return { relay, port: listener.port, listener };
}

function get(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<Got>((resolve, reject) => {
    const request = requestHttp({ port, host: '127.0.0.1', path, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, version: response.httpVersion }),
      );
    });
    request.on('error', reject);
    request.end(options.body);
  });
}

const everywhere = {
  'content-security-policy': contentSecurityPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

async function tokenOf(relay: TestRelay): Promise<string> {
  return (await quickSignUp(relay, 'alice')).session.accessToken;
}

test('headers: on every answer, whoever writes it; no-store on the API; HSTS only with https', async () => {
  const { relay, port } = await listening();
  const authorization = `Bearer ${await tokenOf(relay)}`;
  const answers = {
    page: await get(port, '/'),
    missing: await get(port, '/assets/none.js'),
    json: await get(port, '/v1/version'),
    refused: await get(port, '/v1/account'),
    unknown: await get(port, '/v1/none'),
    method: await get(port, '/v1/version', { method: 'PUT' }),
    raw: await get(port, `/v1/turns/${'A'.repeat(22)}/frames?after=-1`, { headers: { authorization } }),
    health: await get(port, '/healthz'),
    malformed: await get(port, '/v1/heads?after=%zz', { headers: { authorization } }),
    host: await get(port, '/', { headers: { host: 'a b' } }),
  };
  for (const [which, { headers }] of Object.entries(answers)) {
    expect({ which, ...headers }).toMatchObject({ which, ...everywhere });
    // A page may be asked for again with its ETag; everything else is kept nowhere.
    const expected = which === 'page' ? /^no-(store|cache)$/ : /^no-store$/;
    expect([which, headers['cache-control']]).toEqual([which, expect.stringMatching(expected)]);
    expect(headers['permissions-policy']).toContain('camera=()');
    expect(Object.keys(headers)).not.toContain('strict-transport-security');
    expect(Object.keys(headers)).not.toContain('x-powered-by');
  }
  expect(answers.raw).toMatchObject({ status: 404, text: '{"error":"not-found"}' });
  expect(answers.host.status).toBe(400);
  const behind = await listening({ environment: { PUBLIC_URL: 'https://chat.example' } });
  expect((await get(behind.port, '/v1/version')).headers['strict-transport-security']).toBe('max-age=31536000');
});

test('live response: open until its session ends, and cut at once when it does', async () => {
  const { relay, port } = await listening();
  const token = await tokenOf(relay);
  const headers = { authorization: `Bearer ${token}` };
  const started = Date.now();
  const live = new Promise<Record<string, unknown> & { bytes: number }>((resolve, reject) => {
    const request = requestHttp({ port, host: '127.0.0.1', path: '/v1/live', headers }, (response) => {
      let bytes = 0;
      response.on('data', (piece: Buffer) => {
        if (bytes === 0) void relay.call('POST', '/v1/sign-out', { body: { format: 1 }, token });
        bytes += piece.length;
      });
      response.on('end', () => resolve({ ...response.headers, bytes }));
    });
    request.on('error', reject);
    request.end();
  });
  const ended = await live;
  expect(ended).toMatchObject({ ...everywhere, 'content-type': 'application/octet-stream' });
  expect(ended.bytes).toBeGreaterThan(0);
  expect(Date.now() - started).toBeLessThan(12_000);
});

test('body: one that passes the limit while it arrives is refused before it is whole', async () => {
  const { port } = await listening();
  const answer = await new Promise<{ status: number; sent: number }>((resolve, reject) => {
    let sent = 0;
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const request = requestHttp({ port, host: '127.0.0.1', path: '/v1/recovery/start', method: 'POST', headers });
    const send = setInterval(() => {
      sent += 8192;
      request.write(' '.repeat(8192));
    }, 5);
    request.on('response', (response) => {
      clearInterval(send);
      response.resume();
      resolve({ status: response.statusCode ?? 0, sent });
    });
    request.on('error', (error) => {
      clearInterval(send);
      reject(error);
    });
  });
  expect(answer.status).toBe(413);
  expect(answer.sent).toBeGreaterThan(65_536);
  // A body well within the limit goes through the same way.
  const body = '{"format":1}';
  const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
  expect((await get(port, '/v1/recovery/start', { method: 'POST', headers, body })).text).toBe(
    '{"error":"bad-request"}',
  );
});

test('addresses: behind a trusted proxy each client has its own limit', async () => {
  const { RateLimiter } = await import('../../../server/api/guards/rate-limit.ts');
  const { port } = await listening({
    limiter: new RateLimiter({ now: () => 1_000 }),
    environment: { CLIENT_ADDRESS_HEADER: 'x-real-ip', TRUSTED_PROXIES: '127.0.0.0/8' },
  });
  const signUp = async (address: string) => {
    const headers = { 'content-type': 'application/json', 'x-real-ip': address };
    return (await get(port, '/v1/sign-up/start', { method: 'POST', headers, body: '{}' })).status;
  };
  const statuses: number[] = [];
  for (let i = 0; i < 31; i++) statuses.push(await signUp('192.0.2.1'));
  expect(statuses).toEqual([...Array.from({ length: 30 }, () => 400), 429]);
  expect(await signUp('192.0.2.2')).toBe(400);
});

test('addresses: two accounts behind one address share its turns and bytes, and have their own at another', async () => {
  const { RateLimiter } = await import('../../../server/api/guards/rate-limit.ts');
  const limiter = new RateLimiter({ now: () => 1_000 });
  const { relay, port } = await listening({
    limiter,
    environment: { CLIENT_ADDRESS_HEADER: 'x-real-ip', TRUSTED_PROXIES: '127.0.0.0/8' },
  });
  const [alice, bob] = [await quickSignUp(relay, 'alice'), await quickSignUp(relay, 'bob')];
  const post = async (path: string, { session }: typeof alice, address: string, body = '{}') => {
    const headers = {
      'content-type': 'application/json',
      'x-real-ip': address,
      authorization: `Bearer ${session.accessToken}`,
    };
    return (await get(port, path, { method: 'POST', headers, body })).status;
  };
  // Others of the office, the same /64, asked before them.
  const office = '2001:db8:0:0::/64';
  for (let i = 0; i < 9; i++) limiter.take('turns', { address: office, accountId: `${i}` }, 30);
  const turns: number[] = [];
  for (let i = 0; i < 15; i++) turns.push(await post('/v1/turns', alice, '2001:db8::1'));
  for (let i = 0; i < 16; i++) turns.push(await post('/v1/turns', bob, '2001:db8::2'));
  expect(turns).toEqual([...Array.from({ length: 30 }, () => 400), 429]);
  expect(await post('/v1/turns', bob, '2001:db8:0:1::2')).toBe(400);

  for (let i = 0; i < 8; i++) limiter.take('bytes', { address: office, accountId: `${i}` }, 255 * 1024);
  const body = ' '.repeat(4 * 1024 * 1024);
  expect(await post('/v1/items', alice, '2001:db8::1', body)).toBe(400);
  expect(await post('/v1/items', bob, '2001:db8::2', body)).toBe(429);
  expect(await post('/v1/items', bob, '2001:db8:0:1::2', body)).toBe(400);
});

test('tls: HTTP/2 and HTTP/1.1 on one port, with HSTS, live responses included; a renewed certificate is taken up', async () => {
  const folder = await makeTemporaryFolder('tls');
  onTestFinished(() => folder.remove());
  const [certFile, keyFile] = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')];
  const first = makeSelfSigned();
  await writeFile(certFile, first.cert);
  await writeFile(keyFile, first.key);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const { relay, port } = await listening({}, { certFile, keyFile });
  const token = await tokenOf(relay);

  const one = await new Promise<Got>((resolve, reject) => {
    requestHttps({ port, host: 'localhost', path: '/v1/version', ca: first.cert, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, version: response.httpVersion }),
      );
    })
      .on('error', reject)
      .end();
  });
  expect(one).toMatchObject({ status: 200, version: '1.1' });
  expect(one.headers).toMatchObject({ ...everywhere, 'strict-transport-security': 'max-age=31536000' });

  const session = connectHttp2(`https://localhost:${port}`, { ca: first.cert });
  onTestFinished(() => session.destroy());
  const overHttp2 = (path: string, headers: Record<string, string>, body = '') =>
    new Promise<{ headers: Record<string, unknown>; text: string }>((resolve, reject) => {
      const stream = session.request({ ':path': path, ...headers }, { endStream: body === '' });
      let text = '';
      let answered: Record<string, unknown> = {};
      stream.on('response', (received) => (answered = received));
      stream.setEncoding('latin1').on('data', (piece: string) => {
        text += piece;
        if (path === '/v1/live') stream.close();
      });
      stream.on('close', () => resolve({ headers: answered, text }));
      stream.on('error', reject);
      if (body !== '') stream.end(body);
    });
  const post = { ':method': 'POST', 'content-type': 'application/json', origin: `https://localhost:${port}` };
  const refused = await overHttp2('/v1/recovery/start', post, '{"format":2}');
  expect(refused.text).toBe('{"error":"bad-request"}');
  expect(refused.headers).toMatchObject({ ':status': 400, ...everywhere });
  const tooLarge = await overHttp2('/v1/recovery/start', post, ' '.repeat(70_000));
  expect(tooLarge.text).toBe('{"error":"too-large"}');
  const live = await overHttp2('/v1/live', { authorization: `Bearer ${token}` });
  expect(live.headers).toMatchObject({ ':status': 200, 'content-type': 'application/octet-stream', ...everywhere });
  expect(live.text.length).toBeGreaterThan(40);

  const second = makeSelfSigned(2);
  await writeFile(certFile, second.cert);
  // Half a renewal is none: the old pair goes on.
  await utimes(certFile, 1, 1);
  vi.advanceTimersByTime(60_000);
  expect(await serialOf(port)).toBe('01');
  await writeFile(keyFile, second.key);
  await utimes(keyFile, 2, 2);
  vi.advanceTimersByTime(60_000);
  expect(await serialOf(port)).toBe('02');
});

/** Serial number of the certificate that is shown to a new connection. */
function serialOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: 'localhost', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('listen: a taken port and a certificate that is none are one sentence', async () => {
  const { port, relay } = await listening();
  const settings = { host: '127.0.0.1', port, tls: null, isHttps: false };
  await expect(listen(relay.relay.app, settings)).rejects.toThrow(`Port ${port} is in use`);
  const folder = await makeTemporaryFolder('tls');
  onTestFinished(() => folder.remove());
  const [certFile, keyFile] = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')];
  await writeFile(certFile, makeSelfSigned().cert);
  await writeFile(keyFile, makeSelfSigned().key);
  const mixed = { ...settings, port: 0, tls: { certFile, keyFile } };
  await expect(listen(relay.relay.app, mixed)).rejects.toThrow(
    'TLS_CERT and TLS_KEY are not a certificate and its key',
  );
});

test('close: takes nothing new, lets an answer under way finish, and cuts a connection that only waits', async () => {
  const { port, listener } = await listening();
  const idle = connect(port, '127.0.0.1');
  await new Promise((resolve) => idle.once('connect', resolve));
  const cut = new Promise((resolve) => idle.once('close', resolve));
  idle.on('error', () => undefined);
  const closed = listener.close(500);
  await expect(get(port, '/livez')).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
  await closed;
  await Promise.race([cut, sleep(5_000).then(() => Promise.reject(new Error('the connection is still open')))]);
});
