import type { Route } from '../api/route/route.ts';
import { factorRoutes } from './factors/factors.ts';
import { ownRoutes } from './own-account-routes.ts';
import type { AccountDependencies } from './sessions/account-dependencies.ts';
import { sessionRoutes } from './session-routes.ts';
import { signUpRoutes } from './sign-up-routes.ts';

/** Everything below /v1 that is about the account itself. */
export function accountRoutes(dependencies: AccountDependencies): readonly Route[] {
  return [
    ...signUpRoutes(dependencies),
    ...factorRoutes(dependencies),
    ...sessionRoutes(dependencies),
    ...ownRoutes(dependencies),
  ];
}
