import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AttackedRelay } from '../../parts/relay/under-load/attacked-relay.ts';
import { endedKinds, limitedKinds, worstFloodKinds, worstKinds } from '../../parts/users/worst/worst-kinds.ts';

/*
 * A relay process, a bystander with a paced turn, and somebody in another process who does their worst. What others are kept
 * waiting is measured as processor time between two turns of the relay's event loop: that does not depend on what else the
 * machine does.
 */

const longestTurnMs = 250;
/** A relay needs so much, as server/OPERATING.md says, without what 3,000 turns take. */
const mostMemoryBytes = 1.5 * 1024 ** 3;

/** A relay may answer these to the worst: refusals, and answers to what is allowed. It never fails. */
const known: ReadonlySet<number> = new Set([0, 200, 304, 400, 401, 409, 413, 429]);

describe.each([
  ['by calls', worstKinds, false],
  ['by floods over TLS', worstFloodKinds, true],
] as const)('%s', (_protocol, kinds, isTls) => {
  let relay: AttackedRelay;
  beforeAll(async () => {
    relay = await AttackedRelay.open(4, isTls);
  }, 180_000);
  afterAll(() => relay[Symbol.asyncDispose]());

  test('a relay that nobody attacks has short turns of its event loop', { timeout: 60_000 }, async () => {
    const { blocksMs, looksMs, turn } = await relay.measure(null, 1_500);
    expect(Math.max(0, ...blocksMs)).toBeLessThan(longestTurnMs);
    expect(looksMs.length).toBeGreaterThan(0);
    expect(turn.frames).toBeGreaterThan(0);
  });

  test.each(kinds)(
    '%s: nobody else waits, and no frame of their turn is missing',
    { timeout: 120_000 },
    async (kind) => {
      const { blocksMs, looksMs, statuses, turn, withoutTime } = await relay.measure(kind, 1_500);
      // It did come through to the relay.
      expect(Object.keys(statuses).filter((status) => !known.has(Number(status)))).toEqual([]);
      expect(Object.keys(statuses).length).toBeGreaterThan(0);
      expect(withoutTime).toBe(0);
      // A caller who goes on past a limit is refused, and one who only floods is cut off.
      expect(limitedKinds.has(kind) ? statuses[429] : 1).toBeGreaterThan(0);
      expect(endedKinds.has(kind) ? statuses[0] : 1).toBeGreaterThan(0);
      expect(looksMs.length).toBeGreaterThan(0);
      expect(Math.max(0, ...blocksMs)).toBeLessThan(longestTurnMs);
      expect(turn.missing).toBe(0);
      expect(turn.frames).toBeGreaterThan(0);
    },
  );

  test.runIf(process.platform === 'linux')('after all of it the relay has taken no more memory than it may', () => {
    expect(relay.peakMemoryBytes).toBeGreaterThan(50 * 1024 ** 2);
    expect(relay.peakMemoryBytes).toBeLessThan(mostMemoryBytes);
  });
});
