import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** True for an address in figures that nobody but this machine reaches: 127.0.0.0/8, ::1, and the first inside IPv6. */
export function isLoopbackAddress(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * True if nobody but this machine can be meant or can connect. A name below `localhost` is none: a resolver may ask the network
 * for it.
 *
 * @param host - A setting or a URL has it so: with or without brackets, in any case, with or without the dot of the root.
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return name === 'localhost' || isLoopbackAddress(name);
}
