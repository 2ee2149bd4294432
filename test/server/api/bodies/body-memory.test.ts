import { request as requestHttp } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { BodyMemory } from '../../../../server/api/bodies/body-memory.ts';
import { listen } from '../../../../server/connections/listener.ts';
import { RateLimiter } from '../../../../server/api/guards/rate-limit.ts';
import { quickSignUp } from '../../../parts/users/without-keys/quick-account.ts';
import { openTestRelay } from '../../../parts/relay/in-process/test-relay.ts';

const mebibyte = 1024 * 1024;

test('bodies beyond the memory are refused until others are over, one account’s before all are', () => {
  const memory = new BodyMemory({ total: 3 * mebibyte, perAccount: 2 * mebibyte });
  const full = { code: 'too-many-requests', retryAfterSeconds: 2 };
  const take = (accountId: string | null, length: number) => {
    const share = memory.open(accountId);
    share.take(length);
    return share;
  };
  using _ = take('a', mebibyte);
  const second = take('a', mebibyte);
  expect(() => take('a', mebibyte)).toThrow(expect.objectContaining(full));
  const other = take('b', mebibyte);
  expect(() => take('b', mebibyte)).toThrow(expect.objectContaining(full));
  // A short one always has its place.
  take('c', 64 * 1024)[Symbol.dispose]();
  take(null, 1)[Symbol.dispose]();
  second[Symbol.dispose]();
  second[Symbol.dispose]();
  take('a', mebibyte)[Symbol.dispose]();
  take('b', mebibyte)[Symbol.dispose]();
  other[Symbol.dispose]();
  expect(memory.bytes).toBe(mebibyte - 64 * 1024);
});

test('a share grows with its body and gives everything back', () => {
  const memory = new BodyMemory();
  const share = memory.open('a');
  for (let i = 0; i < 100; i++) share.take(16 * 1024);
  expect(memory.bytes).toBe(100 * 16 * 1024 - 64 * 1024);
  share[Symbol.dispose]();
  expect(memory.bytes).toBe(0);
});

/** Sends bodies of no announced length, and holds each open where it is. */
function dripping(port: number, token: string) {
  let answered = 0;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const options = { port, host: '127.0.0.1', path: '/v1/turns', method: 'POST', headers };
  const status = new Promise<number>((resolve, reject) => {
    const request = requestHttp(options, (response) => {
      answered = response.statusCode ?? 0;
      response.resume();
      resolve(answered);
    });
    request.on('error', (error) => (answered === 0 ? reject(error) : undefined));
    onTestFinished(() => void request.destroy());
    const piece = Buffer.alloc(mebibyte, 'A');
    request.write('{"request":{"body":"');
    let sent = 0;
    const send = () => {
      if (answered > 0 || sent >= 40) return;
      sent += 1;
      if (request.write(piece)) setImmediate(send);
      else request.once('drain', send);
    };
    send();
  });
  return status.catch(() => 0);
}

test('one account cannot fill the memory with bodies whose length it does not say', async () => {
  const relay = await openTestRelay('sqlite', { limiter: new RateLimiter({ now: () => 1_000 }) });
  const { accessToken } = (await quickSignUp(relay, 'alice')).session;
  const { app } = relay.relay;
  const listening = await listen(app, { host: '127.0.0.1', port: 0, tls: null, isHttps: false });
  onTestFinished(() => listening.close(50));
  // Each stays open at 40 MiB, so four of them would be 160 MiB.
  const first = await Promise.race([1, 2, 3, 4].map(() => dripping(listening.port, accessToken)));
  expect(first).toBe(429);
  expect((await relay.call('GET', '/v1/account', { token: accessToken })).status).toBe(200);
});
