import type { Socket } from 'node:net';
import { type Network, networksOf } from './networks.ts';

/**
 * How many connections may be open: of all callers together, and of one address, with several times as many for the networks
 * around it. A trusted proxy speaks for many and counts in the total alone.
 */
export class ConnectionPlaces {
  readonly #limits: { readonly total: number; readonly perAddress: number };
  readonly #isProxy: (remoteAddress: string) => boolean;
  readonly #byNetwork = new Map<string, number>();
  readonly #networks = new WeakMap<object, readonly Network[]>();
  #taken = 0;

  constructor(
    limits: { readonly total: number; readonly perAddress: number },
    isProxy: (remoteAddress: string) => boolean,
  ) {
    this.#limits = limits;
    this.#isProxy = isProxy;
  }

  /** The moment for those that do nothing to go: there are still places for those that come meanwhile. */
  get areScarce(): boolean {
    return this.#taken >= Math.floor(this.#limits.total * 0.95);
  }

  /** @returns whether there was a place; it is given back when the connection closes. */
  take(socket: Socket): boolean {
    const networks = this.networksOf(socket, socket.remoteAddress);
    const hasPlace = networks.every(
      ({ name, share }) => (this.#byNetwork.get(name) ?? 0) < this.#limits.perAddress * share,
    );
    if (this.#taken >= this.#limits.total || !hasPlace) return false;
    this.#taken += 1;
    for (const { name } of networks) this.#byNetwork.set(name, (this.#byNetwork.get(name) ?? 0) + 1);
    socket.once('close', () => {
      this.#taken -= 1;
      for (const { name } of networks) this.#release(name);
    });
    return true;
  }

  /**
   * The networks that a connection counts for; none for a proxy's.
   *
   * @param connection - Whatever stands for it: they are found once for each.
   */
  networksOf(connection: object, remoteAddress = ''): readonly Network[] {
    const known = this.#networks.get(connection);
    if (known !== undefined) return known;
    const networks = this.#isProxy(remoteAddress) ? [] : networksOf(remoteAddress);
    this.#networks.set(connection, networks);
    return networks;
  }

  #release(network: string): void {
    const left = (this.#byNetwork.get(network) ?? 0) - 1;
    if (left > 0) this.#byNetwork.set(network, left);
    else this.#byNetwork.delete(network);
  }
}
