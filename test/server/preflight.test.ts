import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { checkPortIsFree, nameOnThisMachine, portComplaint } from '../../server/launch/preflight.ts';

test('checkPortIsFree: a port that is free is the answer, and for 0 one that is', async () => {
  const port = await checkPortIsFree('127.0.0.1', 0);
  expect(port).toBeGreaterThan(0);
  expect(await checkPortIsFree('127.0.0.1', port)).toBe(port);
});

test('checkPortIsFree: a port in use is one sentence, and so is an address of another machine', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(checkPortIsFree('127.0.0.1', port)).rejects.toThrow(`Port ${port} is in use: stop the program`);
  await expect(checkPortIsFree('203.0.113.1', port)).rejects.toThrow(
    'Nothing can listen on HOST=203.0.113.1 (EADDRNOTAVAIL): give an address of this machine.',
  );
});

test('portComplaint: the port that is named instead is one that there is', () => {
  expect(portComplaint('EADDRINUSE', '127.0.0.1', 8787).message).toContain('another port with PORT=8788.');
  expect(portComplaint('EADDRINUSE', '127.0.0.1', 65_535).message).toContain('another port with PORT=8787.');
});

test.each([
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost'],
  // Addresses at which one listens and nobody asks: under them the relay refuses its own page.
  ['0.0.0.0', 'localhost'],
  ['::', 'localhost'],
  ['192.168.1.5', '192.168.1.5'],
  ['2001:db8::5', '[2001:db8::5]'],
  ['fe80::1%eth0', '[fe80::1]'],
])('nameOnThisMachine: who listens on %s is called %s', (host, name) => {
  expect(nameOnThisMachine(host)).toBe(name);
  expect(URL.parse(`http://${nameOnThisMachine(host)}:8787`)?.port).toBe('8787');
});
