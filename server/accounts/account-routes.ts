import type { Route } from '../api/route/route.ts';
import { factorRoutes } from './factors/factors.ts';
import { ownRoutes } from './own-account-routes.ts';
import type { AccountParts } from './sessions/account-parts.ts';
import { sessionRoutes } from './session-routes.ts';
import { signUpRoutes } from './sign-up-routes.ts';

/** Everything below /v1 that is about the account itself. */
export function accountRoutes(parts: AccountParts): readonly Route[] {
  return [...signUpRoutes(parts), ...factorRoutes(parts), ...sessionRoutes(parts), ...ownRoutes(parts)];
}
