import type { SessionKeeper } from './relay/tokens/session-keeper.ts';
import type { RowCache } from './store/cache.ts';
import type { Surroundings } from './surroundings/surroundings.ts';

/** All adapters of one vault: the browser's are in worker/, Node's in node/, and a test brings its own. */
export type VaultDependencies = Surroundings & {
  readonly cache: RowCache;
  readonly keeper: SessionKeeper;
};
