import { renewAlone, type SessionKeeper } from '../vault/relay/tokens/session-keeper.ts';
import type { TabLocks } from '../vault/surroundings/vault-lock.ts';

/**
 * The browser keeps the session's token: a cookie that no script reads, that goes with the relay's own calls, and that the
 * relay alone replaces and deletes. The tabs of a profile share it, so one renews after another (Web Locks).
 */
export function cookieKeeper(locks: TabLocks): SessionKeeper {
  return {
    renew: (connection) => renewAlone(locks, connection),
    forget: async () => undefined,
  };
}
