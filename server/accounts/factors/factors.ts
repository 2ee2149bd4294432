import type { KeyslotKind } from '../../../crypto/protocol/messages/account-messages.ts';
import { refuseTwins } from '../../api/route/refuse-twins.ts';
import type { Route } from '../../api/route/route.ts';
import type { AttemptTableName } from '../keyslots/open-session.ts';
import type { AccountDependencies } from '../sessions/account-dependencies.ts';
import type { AnyFactor, Factor, FactorKind } from './factor.ts';
import { password } from './password.ts';
import { recovery } from './recovery.ts';

/** Every way to show who one is: a new factor is a file beside these and a line here. */
export const factors: { readonly [Kind in FactorKind]: Factor<Kind> } = { password, recovery };

const all: readonly AnyFactor[] = Object.values(factors);

/** The tables of sign-ins that were begun by any factor. */
export const attemptTables: readonly AttemptTableName[] = all.flatMap(({ attempts }) => attempts);

/** The keyslots that an account begins with, sorted: one of another kind would lie there unopened for ever. */
export const firstKeyslots: readonly KeyslotKind[] = all
  .filter(({ comesWithAccount }) => comesWithAccount)
  .map(({ keyslot }) => keyslot)
  .toSorted();

/**
 * Lists the routes of all factors.
 *
 * @throws {Error} when two release one kind of keyslot, take each other's attempts or count guesses under one name.
 */
export function factorRoutes(dependencies: AccountDependencies, listed: readonly AnyFactor[] = all): readonly Route[] {
  refuseClaims('keyslot', listed, ({ keyslot }) => [keyslot]);
  refuseClaims('table of attempts', listed, ({ attempts }) => attempts);
  refuseClaims('count of guesses', listed, ({ limits }) => limits.map(({ kind }) => kind));
  return listed.flatMap((factor) => factor.routes(dependencies));
}

function refuseClaims(claim: string, listed: readonly AnyFactor[], claimsOf: (factor: AnyFactor) => readonly string[]) {
  refuseTwins(
    listed,
    claimsOf,
    (name, first, second) => `Two factors claim one ${claim}, ${name}: ${first.kind} and ${second.kind}.`,
  );
}
