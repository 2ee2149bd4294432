import type { TurnServiceParts } from '../../../../server/turns/turn-service.ts';

/** A clock that nobody doubts. */
export const rightClock: TurnServiceParts['clock'] = {
  earliest: (nowMs) => nowMs,
  latest: (nowMs) => nowMs,
  isBelieved: () => Promise.resolve(true),
};
