import type { ChangeFeed } from '../../live/change-feed.ts';
import type { Settings } from '../../settings.ts';
import type { Database } from '../../storage/tables/database.ts';
import type { ServerKeys } from '../keys/server-keys.ts';
import type { Sessions } from './sessions.ts';
import type { TokenSigner } from './signed-token.ts';

/** The routes of accounts share these. */
export type AccountDependencies = {
  readonly database: Database;
  readonly keys: ServerKeys;
  readonly signer: TokenSigner;
  readonly sessions: Sessions;
  readonly feed: ChangeFeed;
  readonly settings: Pick<Settings, 'signUp' | 'quotaBytes'>;
};
