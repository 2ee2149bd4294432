import { createServer } from 'node:net';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as v from 'valibot';
import { callRelayJson } from '../../../../../client/vault/relay/http/http-call.ts';
import type { RelayCallError } from '../../../../../client/vault/relay/http/relay-call-error.ts';
import { ManualClock } from '../../../../parts/machine/clocks/manual-clock.ts';
import { findFreePort } from '../../../../parts/network/free-port.ts';
import { hasNginx, startNginx, withoutNginx } from '../../../../parts/network/nginx.ts';
import { makeTemporaryFolder } from '../../../../parts/machine/temporary-folder.ts';

const answer = v.strictObject({ format: v.literal(1), said: v.string() });
const own = JSON.stringify({ format: 1, said: 'yes' });

/** Calls with this machine's own fetch, as a device in Node does. */
async function call(port: number, path = '/v1/turns', body: unknown = {}) {
  const connection = { fetch, origin: `http://127.0.0.1:${port}`, clock: new ManualClock() };
  return callRelayJson(connection, { method: 'POST', path, body }, answer, 10_000).then(
    () => 'no error',
    ({ code, retryAfterMs }: RelayCallError) => (retryAfterMs === null ? code : `${code} ${retryAfterMs}`),
  );
}

/** Whatever listens at the relay's address writes these bytes to each call, and hangs up. */
async function callAt(bytes: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(bytes));
  });
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port.');
  return call(address.port);
}

const reply = (status: string, type: string, body: string, more = '') =>
  `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${more}connection: close\r\n\r\n${body}`;
const json = 'application/json';

describe('a call, answered over a socket by', () => {
  test.each<readonly [who: string, bytes: string, code: string]>([
    ['the relay', reply('200 OK', json, own), 'no error'],
    ['the relay through a proxy of HTTP/1.0', `HTTP/1.0 200 OK\r\ncontent-type: ${json}\r\n\r\n${own}`, 'no error'],
    ['the relay, which refuses', reply('404 Not Found', json, '{"error":"not-found"}'), 'not-found'],
    [
      'the relay, which is busy',
      reply('429 x', json, '{"error":"too-many-requests"}', 'retry-after: 7\r\n'),
      'too-many-requests 7000',
    ],
    ['the relay, killed in the middle', reply('200 OK', json, own).slice(0, -5), 'relay-unreachable'],
    // A cut answer of HTTP/1.0 looks like a whole one: nobody knows what it was.
    [
      'the relay, killed behind HTTP/1.0',
      `HTTP/1.0 200 OK\r\ncontent-type: ${json}\r\n\r\n${own.slice(0, -5)}`,
      'malformed-answer',
    ],
    ['a later relay', reply('418 x', json, '{"error":"of-later-times"}'), 'malformed-answer'],
    [
      'a later relay, with another status for a code',
      reply('403 x', json, '{"error":"not-found"}'),
      'malformed-answer',
    ],
    ['a captive portal', reply('200 OK', 'text/html', '<h1>Log in</h1>'), 'foreign-answer'],
    ['a captive portal that asks for the network', reply('511 x', 'text/html', '<h1>Log in</h1>'), 'foreign-answer'],
    [
      'a captive portal that sends elsewhere',
      reply('302 Found', 'text/html', '', 'location: http://127.0.0.1:9/\r\n'),
      'relay-unreachable',
    ],
    [
      'a server that moved for good',
      reply('301 x', 'text/html', '', 'location: https://127.0.0.1:9/\r\n'),
      'relay-unreachable',
    ],
    ['a text', reply('200 OK', 'text/plain', own), 'foreign-answer'],
    ['an image', reply('200 OK', 'image/gif', 'GIF89a'), 'foreign-answer'],
    ['nothing at all', 'HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n', 'malformed-answer'],
    ['another product', reply('200 OK', json, '{"status":"ok"}'), 'malformed-answer'],
    [
      'another product, which refuses in words',
      reply('404 Not Found', json, '{"error":"Not Found"}'),
      'foreign-answer',
    ],
    ['another product, which refuses with an object', reply('401 x', json, '{"error":{"code":401}}'), 'foreign-answer'],
    ['another product, with a word of ours', reply('500 x', json, '{"error":"not-found"}'), 'malformed-answer'],
    [
      'a wall with a password',
      reply('401 x', 'text/html', 'no', 'www-authenticate: Basic realm="x"\r\n'),
      'foreign-answer',
    ],
    ['a proxy that limits', reply('429 x', 'text/html', 'no'), 'too-many-on-the-way'],
    [
      'a proxy that limits and says for how long',
      reply('429 x', 'text/plain', 'no', 'retry-after: 9\r\n'),
      'too-many-on-the-way 9000',
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'relay-unreachable'],
  ])('%s', async (_who, bytes, code) => {
    expect(await callAt(bytes)).toBe(code);
  });
});

test.skipIf(!hasNginx)(`a call, answered by nginx in the relay's place${withoutNginx}`, async () => {
  const [port, dead] = [await findFreePort(), await findFreePort()];
  await using folder = await makeTemporaryFolder('stranger');
  writeFileSync(join(folder.path, 'passwords'), '');
  await using _nginx = await startNginx(
    `limit_req_zone $server_addr zone=all:1m rate=1r/m; limit_req_status 429;
     server { listen 127.0.0.1:${port}; root ${folder.path}; client_max_body_size 1k; error_page 405 =404 /none;
       location /proxied { proxy_pass http://127.0.0.1:${dead}; }
       location /walled { auth_basic on; auth_basic_user_file ${folder.path}/passwords; proxy_pass http://127.0.0.1:${dead}; }
       location /limited { limit_req zone=all; proxy_pass http://127.0.0.1:${dead}; }
       location /moved { return 301 https://127.0.0.1:${dead}/; } }`,
    port,
  );
  expect(await call(port, '/proxied')).toBe('relay-unreachable');
  expect(await call(port, '/static')).toBe('foreign-answer');
  expect(await call(port, '/walled')).toBe('foreign-answer');
  expect(await call(port, '/moved')).toBe('relay-unreachable');
  expect(await call(port, '/proxied', { text: 'x'.repeat(2000) })).toBe('too-large-on-the-way');
  expect([await call(port, '/limited'), await call(port, '/limited')]).toEqual([
    'relay-unreachable',
    'too-many-on-the-way',
  ]);
});
