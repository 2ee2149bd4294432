import { namedOnce } from '../../surroundings/named-once.ts';
import type { Factor, GivenTo } from './factor.ts';
import { password } from './password.ts';
import { recovery } from './recovery.ts';

/** Every way to show who one is: a new factor is a file beside these and a line here. */
const factors = [password, recovery] as const;

/** A person gives these to sign in, to unlock, or to prove anew that the account is theirs. */
export type SignInGiven = GivenTo<typeof factors, 'signIns'>;
export type UnlockGiven = GivenTo<typeof factors, 'unlocks'>;
export type OwnProof = GivenTo<typeof factors, 'proofs'>;

type Tables = Required<Pick<Factor, 'signIns' | 'unlocks' | 'proofs'>>;

/**
 * Puts the tables of all factors together.
 *
 * @throws {Error} when two factors have one kind of keyslot, or take what is given by one name.
 */
export function listFactors(listed: readonly Factor[]): Tables {
  const kinds = listed.map(({ keyslot }) => keyslot);
  if (new Set(kinds).size !== kinds.length) throw new Error('two factors of one kind of keyslot');
  return {
    signIns: merge(listed.map(({ signIns = {} }) => signIns)),
    unlocks: merge(listed.map(({ unlocks = {} }) => unlocks)),
    proofs: merge(listed.map(({ proofs = {} }) => proofs)),
  };
}

function merge<Entry>(tables: readonly Readonly<Record<string, Entry>>[]): Readonly<Record<string, Entry>> {
  const merged = namedOnce(tables, 'two factors take what is given by one name');
  // Without a prototype: a name that comes from the page finds nothing but a factor.
  return Object.assign(Object.create(null) as Record<string, Entry>, Object.fromEntries(merged));
}

const tables = listFactors(factors);

/**
 * Finds who takes what was given.
 *
 * @throws {Error} for a name that no factor has: the page offers none.
 */
export function takerOf<Name extends keyof Tables>(name: Name, by: string): Tables[Name][string] {
  const taker = tables[name][by] as Tables[Name][string] | undefined;
  if (taker === undefined) throw new Error('no factor takes this');
  return taker;
}
