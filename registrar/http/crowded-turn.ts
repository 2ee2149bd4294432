import type { Socket } from 'node:net';
import { networksOf } from '../caller-address.ts';

/** Heads that an address may bring in one turn of the event loop: one takes some thirty microseconds. */
const headsPerTurn = 2_000;
/** Those of a connection beyond that: whoever waits for answers has one. */
const fewHeads = 2;

/**
 * A packet holds a thousand calls, and Node reads the packets of all connections before anybody else has their turn: two seconds
 * of work for those of one address. Beyond some, its connections with calls behind each other are cut.
 */
export class CrowdedTurn {
  readonly #heads = new Map<object | string, number>();

  /** @returns false for a connection that is one too many. */
  enter(connection: object, address: string): boolean {
    if (this.#heads.size === 0) setImmediate(() => this.#heads.clear());
    const own = this.#count(connection);
    let isMany = false;
    for (const { name, share } of networksOf(address)) if (this.#count(name) > headsPerTurn * share) isMany = true;
    return !isMany || own <= fewHeads;
  }

  #count(of: object | string): number {
    const heads = (this.#heads.get(of) ?? 0) + 1;
    this.#heads.set(of, heads);
    return heads;
  }
}

/**
 * Ends a connection. Node would read the rest of its packet all the same; its parser ends at a head that nobody takes
 * (`parserOnHeadersComplete` in its `_http_common`).
 */
export function cutFlood(socket: Socket & { parser?: { onIncoming?: unknown } | null }): void {
  if (typeof socket.parser?.onIncoming === 'function') socket.parser.onIncoming = () => -1;
  socket.destroy();
}
