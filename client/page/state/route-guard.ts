import type { Route } from './router.ts';
import type { SessionState } from './slices/session-slice.ts';

const openPages: ReadonlySet<Route['page']> = new Set(['sign-in', 'create-account', 'recover', 'unlock']);

export type GuardInput = {
  readonly route: Route;
  readonly session: Pick<SessionState, 'status' | 'needsNewPassword'>;
  /** The page that was asked for before signing in or unlocking. */
  readonly wish: Route | null;
  /** The browser came here by itself (typed address, reload), not by a link of ours. */
  readonly arrived: boolean;
};

/** Where a page must send its visitor, or null to stay. */
export function redirectFor({ route, session, wish, arrived }: GuardInput): Route | null {
  const chat = wish ?? { page: 'chat', conversationId: null };
  switch (session.status) {
    case 'signed-out':
      return needsAccount(route) || route.page === 'unlock' ? { page: 'sign-in' } : null;
    case 'locked':
      if (route.page === 'unlock') return null;
      return needsAccount(route) || openPages.has(route.page) || (route.page === 'home' && arrived)
        ? { page: 'unlock' }
        : null;
    case 'unlocked':
      if (openPages.has(route.page)) return session.needsNewPassword ? { page: 'new-password' } : chat;
      return route.page === 'home' && arrived ? chat : null;
    case 'idle':
    case 'starting':
    case 'broken':
      return null;
  }
}

/** Shows words of an account, so it needs an open one. */
export function needsAccount(route: Route): boolean {
  return route.page === 'chat' || route.page === 'new-password';
}
