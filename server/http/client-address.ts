import { BlockList, isIP } from 'node:net';
import { StartError } from '../start-error.ts';

/** Finds out who is calling, for limits in memory. */
export class ClientAddress {
  readonly #header: string | null;
  readonly #trusted = new BlockList();

  /** @throws {StartError} for a proxy that is neither an address nor a network. */
  constructor(settings: { readonly header: string; readonly trustedProxies: readonly string[] } | null) {
    this.#header = settings?.header ?? null;
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
   * @returns a whole IPv4 address, or the /64 of an IPv6 one, since a household has that many.
   */
  find(remoteAddress: string | undefined, readHeader: (name: string) => string | null): string {
    const direct = plainAddress(remoteAddress ?? '');
    if (this.#header === null || !this.#isTrusted(direct)) return networkOf(direct);
    const hops = (readHeader(this.#header) ?? '')
      .slice(-1024)
      .split(',')
      .map((hop) => plainAddress(hop.trim()));
    let nearest = direct;
    for (const hop of hops.toReversed()) {
      if (isIP(hop) === 0) break;
      nearest = hop;
      if (!this.#isTrusted(hop)) break;
    }
    return networkOf(nearest);
  }

  #isTrusted(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }
}

/** IPv4 inside IPv6 as IPv4; without port, brackets and zone. */
function plainAddress(text: string): string {
  const bare = text
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '');
  return bare.replace(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i, '$1');
}

function networkOf(address: string): string {
  if (isIP(address) !== 6) return address === '' ? 'unknown' : address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  const groups = [...left, ...zeros, ...right].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${groups.join(':')}::/64`;
}
