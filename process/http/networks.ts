import { isIP } from 'node:net';

/** IPv4 inside IPv6 as IPv4, however it is written; without port, brackets and zone. */
export function plainAddress(text: string): string {
  const bare = text
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare;
  const groups = groupsOf(bare);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? endingOf(groups) : bare;
}

/** The last two groups as IPv4. */
function endingOf(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** 64:ff9b::/96 (RFC 6052): where a machine has IPv6 alone, all of IPv4 comes from it, and would share what one network may. */
const translatedPrefix = [0x64, 0xff9b, 0, 0, 0, 0].join(':');

/** A network, and how many times the share of its smallest part it may use. */
export type Network = { readonly name: string; readonly share: number };

/**
 * The networks that an address lies in, smallest first. One customer has a whole IPv4 address or the /64 of an IPv6 one, often
 * a /56 or a /48. Limits that knew the smallest alone would be as many as somebody has networks.
 */
export function networksOf(remoteAddress: string): readonly Network[] {
  const address = plainAddress(remoteAddress);
  if (isIP(address) === 4) {
    return [
      { name: address, share: 1 },
      { name: `${address.split('.').slice(0, 3).join('.')}.0/24`, share: 4 },
    ];
  }
  if (isIP(address) !== 6) return [{ name: address === '' ? 'unknown' : address, share: 1 }];
  const groups = groupsOf(address);
  if (groups.slice(0, 6).join(':') === translatedPrefix) return networksOf(endingOf(groups));
  const [first = 0, second = 0, third = 0, fourth = 0] = groups;
  const text = (...parts: readonly number[]) => parts.map((group) => group.toString(16)).join(':');
  return [
    { name: `${text(first, second, third, fourth)}::/64`, share: 1 },
    { name: `${text(first, second, third, fourth & 0xff00)}::/56`, share: 2 },
    { name: `${text(first, second, third)}::/48`, share: 4 },
  ];
}

/** The eight groups of an IPv6 address; an IPv4 ending makes two of them. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.toLowerCase().split('::');
  const read = (part: string) => (part === '' ? [] : part.split(':').flatMap(readGroup));
  const [left, right] = [read(head), read(tail ?? '')];
  return tail === undefined
    ? left
    : [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function readGroup(group: string): number[] {
  if (!group.includes('.')) return [Number.parseInt(group, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}

/** Whose a connection is, before anything was said over it: a proxy's is the proxy's. */
export function addressOfConnection(socket: object): string {
  const address = 'remoteAddress' in socket ? socket.remoteAddress : undefined;
  return plainAddress(typeof address === 'string' ? address : '');
}
