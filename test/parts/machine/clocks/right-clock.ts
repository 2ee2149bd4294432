import type { TurnServiceDependencies } from '../../../../server/turns/turn-service.ts';

/** A clock that nobody doubts. */
export const rightClock: TurnServiceDependencies['clock'] = {
  earliest: (nowMs) => nowMs,
  latest: (nowMs) => nowMs,
  isBelieved: () => Promise.resolve(true),
};
