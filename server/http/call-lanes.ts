/** So long calls begin in one turn of the event loop; one takes about a quarter of a millisecond. */
const workMs = 5;
/** More than HTTP/2 lets one connection have open; over HTTP/1.1 browsers and proxies wait for each answer. */
const longestLane = 200;

/** A call whose head has come. */
export type WaitingCall = {
  /** Whether it was taken back, or its connection is gone. */
  isOver(): boolean;
  begin(): void;
};

/**
 * Lets calls begin behind the packet that brought them, a few in each turn of the event loop and those of different connections
 * by turns. A packet may hold a thousand heads, each with its reset behind it (CVE-2023-44487): what is taken back never begins,
 * and of the rest nobody else waits for more than a few.
 */
export class CallLanes {
  readonly #lanes = new Map<object, WaitingCall[]>();
  #isAwaited = false;

  /** @returns false for a connection that has more calls waiting than any client of ours sends; it should be cut. */
  enter(connection: object, call: WaitingCall): boolean {
    const lane = this.#lanes.get(connection);
    if (lane !== undefined && lane.length >= longestLane) return false;
    if (lane === undefined) this.#lanes.set(connection, [call]);
    else lane.push(call);
    this.#await();
    return true;
  }

  #await(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    setImmediate(() => {
      this.#isAwaited = false;
      this.#work();
      if (this.#lanes.size > 0) this.#await();
    });
  }

  #work(): void {
    const untilMs = performance.now() + workMs;
    for (const [connection, lane] of this.#lanes) {
      const call = lane.shift();
      this.#lanes.delete(connection);
      // Behind all others, who come by turns.
      if (lane.length > 0) this.#lanes.set(connection, lane);
      if (call?.isOver() === false) call.begin();
      if (performance.now() > untilMs) return;
    }
  }
}
