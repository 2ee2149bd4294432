import { connect } from 'node:net';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { listen, type Listening } from '../../../server/connections/listener.ts';
import { securityHeaders } from '../../../server/api/pages/security-headers.ts';
import { makeTestRelay } from '../../parts/relay/in-process/test-relay.ts';

/* No browser sends these: every answer has the security headers and a fixed body, whoever gives it. */

let listener: Listening;
beforeAll(async () => {
  const relay = await makeTestRelay('sqlite');
  listener = await listen(relay.relay.app, { host: '127.0.0.1', port: 0, tls: null, isHttps: false });
  return async () => {
    await listener.close(0);
    await relay.close();
    await relay.remove();
  };
});

/** Everything that comes back for these bytes, until the first answer is whole. */
function answerTo(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(listener.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let got = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      got += part;
      if (/\r\n\r\n[\s\S]*(\}|<\/html>\n)/.test(got)) resolve(got);
    });
    socket.on('error', reject).on('close', () => resolve(got));
    socket.write(Buffer.from(text, 'latin1'));
  });
}

const host = 'Host: localhost\r\n';
const badRequest = '{"error":"bad-request"}';
const notFound = '{"error":"not-found"}';
const page = '<h1>There is no such page</h1>';

test.each<readonly [name: string, request: string, status: number, body: string]>([
  ['two Host headers', `GET / HTTP/1.1\r\n${host}Host: evil\r\n\r\n`, 400, badRequest],
  ['one Host header twice', `GET / HTTP/1.1\r\n${host}${host}\r\n`, 400, badRequest],
  ['no Host header', 'GET / HTTP/1.1\r\n\r\n', 400, badRequest],
  ['a Host with a user', 'GET /v1/version HTTP/1.1\r\nHost: a@localhost\r\n\r\n', 400, badRequest],
  [
    'a length and chunks',
    `POST /v1/items HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    badRequest,
  ],
  [
    'two lengths',
    `POST /v1/items HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`,
    400,
    badRequest,
  ],
  [
    'a coding that is not chunked',
    `POST /v1/items HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n`,
    400,
    badRequest,
  ],
  ['another host in the target', `GET http://evil/ HTTP/1.1\r\n${host}\r\n`, 400, badRequest],
  ['a target of all', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, 400, badRequest],
  ['a tunnel', `CONNECT evil:443 HTTP/1.1\r\n${host}\r\n`, 400, badRequest],
  ['HTTP/2 without TLS', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, badRequest],
  ['TLS to the plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, badRequest],
  ['half an escape', `GET /%zz HTTP/1.1\r\n${host}\r\n`, 404, page],
  ['half an escape below the interface', `GET /v1/%zz HTTP/1.1\r\n${host}\r\n`, 404, notFound],
  ['an escaped NUL', `GET /a%00.js HTTP/1.1\r\n${host}\r\n`, 404, notFound],
  ['a NUL', `GET /a\0b HTTP/1.1\r\n${host}\r\n`, 400, badRequest],
  ['a NUL in a header', `GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`, 400, badRequest],
  ['a folder above', `GET /../../etc/passwd HTTP/1.1\r\n${host}\r\n`, 404, page],
  ['an overlong target', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`, 431, badRequest],
  ['a flood of headers', `GET / HTTP/1.1\r\n${host}${'a: b\r\n'.repeat(5_000)}\r\n`, 431, badRequest],
  ['a folded header', `GET / HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`, 400, badRequest],
  ['an unknown method', `BREW / HTTP/1.1\r\n${host}\r\n`, 400, badRequest],
  ['a method of nobody here', `TRACE / HTTP/1.1\r\n${host}\r\n`, 405, '{"error":"method-not-allowed"}'],
])('%s', async (_name, request, status, body) => {
  const answer = await answerTo(request);
  expect(Number(answer.slice(9, 12))).toBe(status);
  expect(answer).toContain(body);
  const head = answer.split('\r\n\r\n', 1)[0]?.toLowerCase() ?? '';
  for (const [name, value] of securityHeaders(false)) expect(head).toContain(`${name}: ${value}`.toLowerCase());
});
