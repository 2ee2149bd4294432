import type { FactorDependencies } from './factors/factor.ts';
import { type SignInGiven, takerOf, type UnlockGiven } from './factors/factors.ts';
import type { SignedIn } from './keys/key-material.ts';

/**
 * Signs in by any factor.
 *
 * @throws {VaultError} `sign-in-failed` for an unknown name, a wrong secret and another relay alike (M12); `invalid-phrase`.
 */
export async function signIn(dependencies: FactorDependencies, given: SignInGiven): Promise<SignedIn> {
  return takerOf('signIns', given.by ?? 'password')(dependencies, given as never);
}

/** The same for the account of a session that is locked: no name is needed. */
export async function unlock(dependencies: FactorDependencies, given: UnlockGiven): Promise<SignedIn> {
  return takerOf('unlocks', given.by ?? 'password')(dependencies, given as never);
}
