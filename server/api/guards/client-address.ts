import { BlockList, isIP } from 'node:net';
import { StartError } from '../../../process/start-error.ts';

/** Where proxies usually say for whom they speak. */
const proxyHeaders = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-client-address', 'cf-connecting-ip'] as const;

/** Finds out who is calling, for limits in memory. */
export class ClientAddress {
  readonly #header: string | null;
  readonly #onUnknownProxy: () => void;
  #hasWarned = false;
  readonly #trusted = new BlockList();

  /**
   * @param onUnknownProxy - Told once, when a call names a client before it although nobody told us of such a proxy: then all
   *   its clients share one address.
   * @throws {StartError} for a proxy that is neither an address nor a network.
   */
  constructor(
    settings: { readonly header: string; readonly trustedProxies: readonly string[] } | null,
    onUnknownProxy: () => void = () => undefined,
  ) {
    this.#header = settings?.header ?? null;
    this.#onUnknownProxy = onUnknownProxy;
    for (const proxy of settings?.trustedProxies ?? []) {
      const [address = '', prefix] = proxy.split('/');
      const family = isIP(address);
      const bits = prefix === undefined ? null : Number(prefix);
      const isWhole = bits === null || (/^\d{1,3}$/.test(prefix ?? '') && bits <= (family === 4 ? 32 : 128));
      if (family === 0 || !isWhole) {
        throw new StartError(
          'TRUSTED_PROXIES holds something that is no address: write 10.0.0.1 or 10.0.0.0/8, separated by commas.',
        );
      }
      const name = family === 4 ? 'ipv4' : 'ipv6';
      if (bits === null) this.#trusted.addAddress(address, name);
      else this.#trusted.addSubnet(address, bits, name);
    }
  }

  /**
   * The nearest address that is not a trusted proxy's: what stands further left in the header could be anyone's invention.
   *
   * @returns the address itself; `networksOf` says what it shares with others.
   */
  find(remoteAddress: string | undefined, readHeader: (name: string) => string | null): string {
    const direct = plainAddress(remoteAddress ?? '');
    if (this.#header === null || !this.isTrusted(direct)) {
      if (!this.#hasWarned && proxyHeaders.some((name) => readHeader(name) !== null)) {
        this.#hasWarned = true;
        this.#onUnknownProxy();
      }
      return direct === '' ? 'unknown' : direct;
    }
    const hops = (readHeader(this.#header) ?? '')
      .slice(-1024)
      .split(',')
      .map((hop) => plainAddress(hop.trim()));
    let nearest = direct;
    for (const hop of hops.toReversed()) {
      if (isIP(hop) === 0) break;
      nearest = hop;
      if (!this.isTrusted(hop)) break;
    }
    return nearest;
  }

  /** Whether it is a proxy of ours, which speaks for many. */
  isTrusted(remoteAddress: string): boolean {
    const address = plainAddress(remoteAddress);
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }
}

/** IPv4 inside IPv6 as IPv4, however it is written; without port, brackets and zone. */
function plainAddress(text: string): string {
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
 * The networks that an address lies in, smallest first. What one customer has is a whole IPv4 address or the /64 of an IPv6
 * one, often a /56 or a /48: limits that knew the smallest alone would be as many as somebody has networks.
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
