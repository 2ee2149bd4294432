import { expect, test } from 'vitest';
import { ClientAddress, isNetwork, joinAddressSettings } from '../../../process/http/client-address.ts';
import { networksOf } from '../../../process/http/networks.ts';

const direct = new ClientAddress(null);
const proxied = new ClientAddress({ header: 'x-forwarded-for', trustedProxies: ['10.0.0.0/8', '2001:db8:1::/48'] });
const find = (addresses: ClientAddress, remote: string | undefined, header: string | null) =>
  addresses.find(remote, (name) => (name === 'x-forwarded-for' ? header : null));

test('find: without a proxy nobody’s header counts', () => {
  expect(find(direct, '192.0.2.1', '203.0.113.9')).toBe('192.0.2.1');
  expect(find(direct, '::ffff:192.0.2.1', null)).toBe('192.0.2.1');
  expect(find(direct, undefined, null)).toBe('unknown');
});

test('networksOf: an address and the networks around it, however it is written', () => {
  const names = (address: string) => networksOf(address).map(({ name, share }) => `${name} ${share}`);
  const first = ['2001:db8:0:0::/64 1', '2001:db8:0:0::/56 2', '2001:db8:0::/48 4'];
  expect(names('2001:db8::1')).toEqual(first);
  expect(names('2001:0DB8:0000:0000:ffff::1')).toEqual(first);
  expect(names('2001:db8:0:1ff::1')).toEqual(['2001:db8:0:1ff::/64 1', '2001:db8:0:100::/56 2', '2001:db8:0::/48 4']);
  expect(names('fe80::1%eth0')[0]).toBe('fe80:0:0:0::/64 1');
  expect(names('192.0.2.77')).toEqual(['192.0.2.77 1', '192.0.2.0/24 4']);
  expect(names('unknown')).toEqual(['unknown 1']);
});

test('networksOf: IPv4 inside IPv6 is IPv4, in every spelling', () => {
  for (const text of [
    '::ffff:192.0.2.1',
    '::FFFF:192.0.2.1',
    '::ffff:c000:201',
    '0:0:0:0:0:ffff:c000:0201',
    '[::ffff:192.0.2.1]:443',
  ]) {
    expect([text, networksOf(text)]).toEqual([text, networksOf('192.0.2.1')]);
    expect([text, find(direct, text, null)]).toEqual([text, '192.0.2.1']);
  }
  // Not mapped, only alike.
  expect(networksOf('::fffe:c000:201')[0]?.name).toBe('0:0:0:0::/64');
});

test('networksOf: IPv4 that a gateway translated counts as IPv4, and is no proxy of ours', () => {
  for (const text of ['64:ff9b::192.0.2.1', '64:FF9B::c000:201', '64:ff9b:0:0:0:0:192.0.2.1']) {
    expect([text, networksOf(text)]).toEqual([text, networksOf('192.0.2.1')]);
  }
  expect(networksOf('64:ff9b:1::192.0.2.1')[0]?.name).toBe('64:ff9b:1:0::/64');
  expect(proxied.isTrusted('10.0.0.1')).toBe(true);
  expect(proxied.isTrusted('64:ff9b::10.0.0.1')).toBe(false);
});

test('find: behind a trusted proxy the nearest address that is no proxy’s, whatever the client wrote before it', () => {
  expect(find(proxied, '10.0.0.1', '203.0.113.9')).toBe('203.0.113.9');
  expect(find(proxied, '10.0.0.1', '1.1.1.1, 203.0.113.9, 10.2.3.4')).toBe('203.0.113.9');
  expect(find(proxied, '10.0.0.1', '10.9.9.9')).toBe('10.9.9.9');
  expect(find(proxied, '2001:db8:1::5', '[2001:db8:2::7]:443')).toBe('2001:db8:2::7');
  expect(find(proxied, '10.0.0.1', '203.0.113.9:51234')).toBe('203.0.113.9');
  expect(find(proxied, '10.0.0.1', '203.0.113.9, nonsense')).toBe('10.0.0.1');
  expect(find(proxied, '10.0.0.1', null)).toBe('10.0.0.1');
  expect(find(proxied, '192.0.2.1', '203.0.113.9')).toBe('192.0.2.1');
});

test('ClientAddress: refuses a proxy that is no address', () => {
  for (const trusted of ['proxy', '10.0.0.0/33', '10.0.0.0/x', '', '10.0.0.0/8/8', '::1/129']) {
    expect([trusted, isNetwork(trusted)]).toEqual([trusted, false]);
    expect(() => new ClientAddress({ header: 'x', trustedProxies: [trusted] })).toThrow('no address');
  }
  for (const trusted of ['10.0.0.1', '10.0.0.0/8', '0.0.0.0/0', 'fd00::/8', '::1']) {
    expect([trusted, isNetwork(trusted)]).toEqual([trusted, true]);
  }
});

test('joinAddressSettings: takes both or neither, and names the two settings', () => {
  const names = { header: 'CLIENT_ADDRESS_HEADER', proxies: 'TRUSTED_PROXIES' };
  const sentence = 'CLIENT_ADDRESS_HEADER and TRUSTED_PROXIES go together';
  expect(() => joinAddressSettings('x', null, names)).toThrow(sentence);
  expect(() => joinAddressSettings(null, ['10.0.0.1'], names)).toThrow(sentence);
  expect(joinAddressSettings(null, null, names)).toBeNull();
  expect(joinAddressSettings('x', ['10.0.0.1'], names)).toEqual({ header: 'x', trustedProxies: ['10.0.0.1'] });
});
