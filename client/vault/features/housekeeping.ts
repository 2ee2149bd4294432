import { dropVerificationsOperation, keepHouse, pruneOperation } from '../changes/housekeeping.ts';
import { feature } from './feature.ts';

/** What is left behind and what is long gone. */
export const housekeeping = feature({
  operations: [dropVerificationsOperation, pruneOperation],
  chores: [({ store, outbox, clock }) => keepHouse(store.contents, outbox, clock.wallMs())],
});
