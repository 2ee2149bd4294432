import { expect, test } from 'vitest';
import { ClientAddress } from '../../../server/http/client-address.ts';

const direct = new ClientAddress(null);
const proxied = new ClientAddress({ header: 'x-forwarded-for', trustedProxies: ['10.0.0.0/8', '2001:db8:1::/48'] });
const find = (addresses: ClientAddress, remote: string | undefined, header: string | null) =>
  addresses.find(remote, (name) => (name === 'x-forwarded-for' ? header : null));

test('find: without a proxy nobody’s header counts', () => {
  expect(find(direct, '192.0.2.1', '203.0.113.9')).toBe('192.0.2.1');
  expect(find(direct, '::ffff:192.0.2.1', null)).toBe('192.0.2.1');
  expect(find(direct, undefined, null)).toBe('unknown');
});

test('find: an IPv6 address counts as its /64, however it is written', () => {
  expect(find(direct, '2001:db8::1', null)).toBe('2001:db8:0:0::/64');
  expect(find(direct, '2001:0db8:0000:0000:ffff::1', null)).toBe('2001:db8:0:0::/64');
  expect(find(direct, '2001:db8:0:1::1', null)).toBe('2001:db8:0:1::/64');
  expect(find(direct, 'fe80::1%eth0', null)).toBe('fe80:0:0:0::/64');
});

test('find: behind a trusted proxy the nearest address that is no proxy’s, whatever the client wrote before it', () => {
  expect(find(proxied, '10.0.0.1', '203.0.113.9')).toBe('203.0.113.9');
  expect(find(proxied, '10.0.0.1', '1.1.1.1, 203.0.113.9, 10.2.3.4')).toBe('203.0.113.9');
  expect(find(proxied, '10.0.0.1', '10.9.9.9')).toBe('10.9.9.9');
  expect(find(proxied, '2001:db8:1::5', '[2001:db8:2::7]:443')).toBe('2001:db8:2:0::/64');
  expect(find(proxied, '10.0.0.1', '203.0.113.9:51234')).toBe('203.0.113.9');
  expect(find(proxied, '10.0.0.1', '203.0.113.9, nonsense')).toBe('10.0.0.1');
  expect(find(proxied, '10.0.0.1', null)).toBe('10.0.0.1');
  expect(find(proxied, '192.0.2.1', '203.0.113.9')).toBe('192.0.2.1');
});

test('ClientAddress: refuses a proxy that is no address', () => {
  for (const trusted of ['proxy', '10.0.0.0/33', '10.0.0.0/x', '']) {
    expect(() => new ClientAddress({ header: 'x', trustedProxies: [trusted] })).toThrow('TRUSTED_PROXIES');
  }
});
