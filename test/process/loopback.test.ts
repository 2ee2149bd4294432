import { expect, test } from 'vitest';
import { isLoopback, isLoopbackAddress } from '../../process/loopback.ts';

const addresses = [
  '127.0.0.1',
  '127.1.2.3',
  '127.255.255.255',
  '::1',
  '[::1]',
  '0:0:0:0:0:0:0:1',
  '::1%lo',
  '::ffff:127.0.0.1',
  '[::ffff:7f00:1]',
];
const others = [
  '',
  '0.0.0.0',
  '::',
  '[::]',
  '::2',
  '10.0.0.1',
  '128.0.0.1',
  '127.0.0.256',
  '127.0.0',
  '::ffff:10.0.0.1',
  'localhost.example',
  'a.localhost',
  '127.0.0.1.example',
  'localhost..',
  '[localhost]',
];

test('isLoopback: accepts each way to write an address of this machine, and localhost', () => {
  for (const host of [...addresses, 'localhost', 'LocalHost', 'localhost.', '127.0.0.1.', '[::FFFF:127.0.0.1]']) {
    expect([host, isLoopback(host)]).toEqual([host, true]);
  }
});

test('isLoopback: refuses every other host, and names that only look like this machine', () => {
  for (const host of others) expect([host, isLoopback(host)]).toEqual([host, false]);
});

test('isLoopbackAddress: accepts figures alone, since a name is what a file of the machine makes of it', () => {
  for (const host of addresses) expect([host, isLoopbackAddress(host)]).toEqual([host, true]);
  for (const host of [...others, 'localhost', 'localhost.']) {
    expect([host, isLoopbackAddress(host)]).toEqual([host, false]);
  }
});

test('isLoopback: judges what a URL makes of an address', () => {
  const judge = (url: string) => isLoopback(new URL(url).hostname);
  const own = ['http://127.1', 'http://0x7f.1', 'http://[0::1]:80/', 'http://LOCALHOST.:1'];
  for (const url of own) expect(judge(url)).toBe(true);
  for (const url of ['http://128.1', 'http://[::2]/', 'http://localhost.example']) expect(judge(url)).toBe(false);
});
