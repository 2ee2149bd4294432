import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { StartError } from '../process/start-error.ts';

/** Who may say whose a call is. */
export type AddressSettings = { readonly header: string; readonly trustedProxies: readonly string[] };

/** Finds out from where a call comes. An address header is a stranger's invention unless one of the trusted proxies sends it. */
export class CallerAddress {
  readonly #header: string | null;
  readonly #trusted = new BlockList();

  /** @throws {StartError} for a proxy that is neither an address nor a network. */
  constructor(settings: AddressSettings | null) {
    this.#header = settings?.header ?? null;
    for (const proxy of settings?.trustedProxies ?? []) this.#trust(proxy);
  }

  /** Whether many callers come from this address, so that it is no one's. */
  isProxy(remoteAddress: string | undefined): boolean {
    const address = plainAddress(remoteAddress ?? '');
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }

  /** The nearest address that is no trusted proxy's: what stands further left in the header could be anyone's invention. */
  find(request: IncomingMessage): string {
    const direct = plainAddress(request.socket.remoteAddress ?? '');
    if (this.#header === null || !this.isProxy(direct)) return direct;
    const named = request.headers[this.#header];
    const hops = (Array.isArray(named) ? named.join(',') : (named ?? '')).slice(-1024).split(',');
    let nearest = direct;
    for (const hop of hops.map((text) => plainAddress(text.trim())).toReversed()) {
      if (isIP(hop) === 0) break;
      nearest = hop;
      if (!this.isProxy(hop)) break;
    }
    return nearest;
  }

  #trust(proxy: string): void {
    const [address = '', prefix] = proxy.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? null : Number(prefix);
    const isWhole = bits === null || (/^\d{1,3}$/.test(prefix ?? '') && bits <= (family === 4 ? 32 : 128));
    if (family === 0 || !isWhole) {
      throw new StartError(
        'REGISTRAR_TRUSTED_PROXIES holds something that is no address: write 10.0.0.1 or 10.0.0.0/8, separated by commas.',
      );
    }
    const name = family === 4 ? 'ipv4' : 'ipv6';
    if (bits === null) this.#trusted.addAddress(address, name);
    else this.#trusted.addSubnet(address, bits, name);
  }
}

/** Whose a connection is, before anything was said over it: a proxy's is the proxy's. */
export function addressOfConnection(socket: object): string {
  const address = 'remoteAddress' in socket ? socket.remoteAddress : undefined;
  return plainAddress(typeof address === 'string' ? address : '');
}

/** IPv4 inside IPv6 as IPv4; without zone. */
function plainAddress(text: string): string {
  return text.replace(/%.*$/, '').replace(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i, '$1');
}

/** A network, and how many times the share of its smallest part it may use. */
export type Network = { readonly name: string; readonly share: number };

/**
 * The networks that an address lies in, smallest first. A household has one IPv4 address, or a /64 of IPv6 and often a /56 or
 * a /48: limits that knew the smallest alone would be as many as somebody has networks.
 */
export function networksOf(address: string): readonly Network[] {
  const family = isIP(address);
  if (family === 0) return [{ name: address === '' ? 'unknown' : address, share: 1 }];
  if (family === 4 || address.includes('.')) {
    return [
      { name: address, share: 1 },
      { name: `${address.replace(/\.\d+$/, '')}.0/24`, share: 4 },
    ];
  }
  const [first = '', second = '', third = '', fourth = ''] = groupsOf(address);
  const site = Number.parseInt(fourth, 16) >> 8;
  return [
    { name: `${first}:${second}:${third}:${fourth}::/64`, share: 1 },
    { name: `${first}:${second}:${third}:${site.toString(16)}00::/56`, share: 2 },
    { name: `${first}:${second}:${third}::/48`, share: 4 },
  ];
}

/** The eight groups of an IPv6 address, in one spelling each. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  return [...left, ...(tail === undefined ? [] : zeros), ...right].map((group) => group.replace(/^0+(?=.)/, ''));
}
