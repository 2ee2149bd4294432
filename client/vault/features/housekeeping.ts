import { dropVerificationsOperation, keepHouse, pruneOperation } from '../changes/outbox/housekeeping.ts';
import { feature } from './feature.ts';

/** Removes verifications that nothing names, and forgets old tombstones. */
export const housekeeping = feature({
  operations: [dropVerificationsOperation, pruneOperation],
  chores: [({ store, outbox, clock }) => keepHouse(store.contents, outbox, clock.wallMs())],
});
