import { CrowdedTurn } from '../../process/http/crowded-turn.ts';
import type { Network } from '../../process/http/networks.ts';
import { FairTurns, type Waiting } from './fair-turns.ts';

/** More than HTTP/2 lets one connection have open; over HTTP/1.1 browsers and proxies wait for each answer. */
const longestLane = 200;
/** Heads that an address may bring in one turn of the event loop: to read one takes 15 to 60 microseconds. */
const headsPerTurn = 500;
/** Open calls of an address for each connection that it may have: one takes kilobytes until it is answered. */
const callsPerPlace = 4;
/** Open calls of a connection, and those that it brings in one turn, beyond either: whoever waits for answers has one. */
const fewCalls = 2;

/** A call whose head has come. */
export type WaitingCall = Waiting & {
  /** Tells the listener once, when it was answered, taken back, or its connection is gone. */
  onOver(listener: () => void): void;
};

/**
 * Lets calls begin behind the packet that brought them, a few in each turn of the event loop and those of different connections
 * by turns. A packet may hold a thousand heads, each with its reset behind it (CVE-2023-44487). A call that is taken back never
 * begins, and nobody else waits for more than a few of the rest.
 */
export class CallLanes {
  readonly #turns = new FairTurns();
  readonly #turn = new CrowdedTurn({ headsPerTurn, fewHeads: fewCalls });
  /** The calls that are not over. */
  readonly #open = new Map<object | string, number>();
  readonly #openCalls: number;

  /** @param connectionsPerAddress - One address may have so many. */
  constructor(connectionsPerAddress: number) {
    this.#openCalls = callsPerPlace * connectionsPerAddress;
  }

  /**
   * @param networks - Whose connection it is; none for a proxy's, which speaks for many.
   * @returns false for a connection that has more calls than any client of ours sends; it should be cut.
   */
  enter(connection: object, call: WaitingCall, networks: readonly Network[]): boolean {
    let isTooMany = !this.#turn.enter(connection, networks);
    const open = count(this.#open, connection, 1);
    for (const { name, share } of networks) {
      const areOpenMany = count(this.#open, name, 1) > this.#openCalls * share;
      if (areOpenMany && open > fewCalls) isTooMany = true;
    }
    call.onOver(() => {
      count(this.#open, connection, -1);
      for (const { name } of networks) count(this.#open, name, -1);
    });
    if (this.#turns.lengthOf(connection) >= longestLane || isTooMany) return false;
    this.#turns.enter(connection, call);
    return true;
  }
}

function count(counts: Map<object | string, number>, of: object | string, more: 1 | -1): number {
  const number = (counts.get(of) ?? 0) + more;
  if (number === 0) counts.delete(of);
  else counts.set(of, number);
  return number;
}
