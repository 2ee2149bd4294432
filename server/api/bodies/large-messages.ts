import type * as v from 'valibot';
import { itemBatch } from '../../../crypto/protocol/messages/item-messages.ts';
import { turnAttempt, turnStart } from '../../../crypto/protocol/messages/turn-messages.ts';
import type { Route } from '../route/route.ts';

/**
 * The messages that reach megabytes, by the names of their routes. They are read in a thread of their own, which knows them by
 * these names.
 */
export const largeMessages: Readonly<Record<string, v.GenericSchema>> = {
  storeItems: itemBatch,
  startTurn: turnStart,
  attemptTurn: turnAttempt,
};

const largestInPlace = 128 * 1024;

/** @throws {Error} for a route whose body may be large without being known to the thread. */
export function requireThread(route: Route): void {
  if (route.maximumBodyLength <= largestInPlace || largeMessages[route.name] === route.body) return;
  throw new Error(`The body of ${route.name} is large, and not among the large messages.`);
}
