import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ClientAddress } from '../../../process/http/client-address.ts';
import { boundConnections } from '../../../registrar/http/silent-connections.ts';

test('boundConnections: a network has four times what an address has, another has its own, and a proxy is not counted', async () => {
  const server = createServer({ headersTimeout: 0 }, (_, response) => response.end('ok'));
  onTestFinished(() => void server.close());
  boundConnections(server, new ClientAddress({ header: 'x-from', trustedProxies: ['127.0.7.200'] }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let closed = 0;
  const open = async (localAddress: string, count: number) => {
    for (let number = 0; number < count; number++) {
      const socket = connect({ port, host: '127.0.0.1', localAddress });
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => undefined).resume();
      socket.once('close', () => {
        closed += 1;
      });
      await once(socket, 'connect');
      socket.write('GET /');
    }
  };
  const status = async (localAddress: string) => {
    const call = request({ port, host: '127.0.0.1', localAddress, agent: false }).end();
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };
  for (let host = 1; host <= 4; host++) await open(`127.0.7.${host}`, 60);
  expect(await status('127.0.7.5')).toBe(200);
  for (let host = 5; host <= 9; host++) await open(`127.0.7.${host}`, 60);
  await expect.poll(() => closed).toBe(540 - 256);
  await expect(status('127.0.7.10')).rejects.toThrow(/ECONNRESET|hang up/);
  expect(await status('127.0.7.200')).toBe(200);
  expect(await status('127.0.8.1')).toBe(200);
});
