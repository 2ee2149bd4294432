import type { Network } from './networks.ts';

export type CrowdLimits = {
  /** Heads that an address may bring in one turn of the event loop; the networks around it have several times as many. */
  readonly headsPerTurn: number;
  /** The heads of a connection beyond that: a caller that waits for answers has one. */
  readonly fewHeads: number;
};

/**
 * A packet holds a thousand calls, and Node reads the packets of all connections before anybody else has their turn. Beyond some,
 * an address's connections with calls behind each other should be cut.
 */
export class CrowdedTurn {
  readonly #limits: CrowdLimits;
  readonly #heads = new Map<object | string, number>();

  constructor(limits: CrowdLimits) {
    this.#limits = limits;
  }

  /**
   * Counts a call.
   *
   * @param networks - Whose connection it is; none for a proxy's, which speaks for many.
   * @returns false for a connection that is one too many.
   */
  enter(connection: object, networks: readonly Network[]): boolean {
    if (this.#heads.size === 0) setImmediate(() => this.#heads.clear());
    const { headsPerTurn, fewHeads } = this.#limits;
    const own = this.#count(connection);
    let isMany = false;
    for (const { name, share } of networks) if (this.#count(name) > headsPerTurn * share) isMany = true;
    return !isMany || own <= fewHeads;
  }

  #count(of: object | string): number {
    const heads = (this.#heads.get(of) ?? 0) + 1;
    this.#heads.set(of, heads);
    return heads;
  }
}
