import { BlockList, isIP } from 'node:net';
import { plainAddress } from './networks.ts';
import { StartError } from '../start-error.ts';

/** Where proxies usually say for whom they speak. */
const proxyHeaders = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-client-address', 'cf-connecting-ip'] as const;

/** Who may say whose a call is. */
export type AddressSettings = { readonly header: string; readonly trustedProxies: readonly string[] };

/**
 * Puts together the two settings that go together.
 *
 * @param names - The names of the settings, for the sentence.
 * @throws {StartError} for one without the other.
 */
export function joinAddressSettings(
  header: string | null,
  trustedProxies: readonly string[] | null,
  names: { readonly header: string; readonly proxies: string },
): AddressSettings | null {
  if (header === null && trustedProxies === null) return null;
  if (header === null || trustedProxies === null) {
    throw new StartError(`${names.header} and ${names.proxies} go together: the header, and who may set it.`);
  }
  return { header, trustedProxies };
}

/** True if a text is an address, or a network such as 10.0.0.0/8. */
export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== null;
}

type Subnet = { readonly address: string; readonly family: 'ipv4' | 'ipv6'; readonly bits: number };

/** @returns null for what is neither an address nor a network. */
function parseNetwork(text: string): Subnet | null {
  const [address = '', prefix, ...more] = text.split('/');
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  const bits = prefix === undefined ? longest : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Infinity;
  if (family === 0 || bits > longest || more.length > 0) return null;
  return { address, family: family === 4 ? 'ipv4' : 'ipv6', bits };
}

/** Finds out who is calling, for limits in memory. */
export class ClientAddress {
  readonly #header: string | null;
  readonly #onUnknownProxy: () => void;
  #hasWarned = false;
  readonly #trusted = new BlockList();

  /**
   * @param onUnknownProxy - Told once, when a call names a client before it although nobody told us of such a proxy: then all
   *   its clients share one address.
   */
  constructor(settings: AddressSettings | null, onUnknownProxy: () => void = () => undefined) {
    this.#header = settings?.header ?? null;
    this.#onUnknownProxy = onUnknownProxy;
    for (const proxy of settings?.trustedProxies ?? []) {
      const network = parseNetwork(proxy);
      // Nobody is trusted for a word that was not understood.
      if (network === null) throw new TypeError('A trusted proxy is no address.');
      this.#trusted.addSubnet(network.address, network.bits, network.family);
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

  /** True if it is a proxy of ours, which speaks for many. */
  isTrusted(remoteAddress: string): boolean {
    const address = plainAddress(remoteAddress);
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }
}
