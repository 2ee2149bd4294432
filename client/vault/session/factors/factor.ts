import type { Bytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { KeyslotKind, StepUpAct, StepUpProof } from '../../../../crypto/protocol/messages/account-messages.ts';
import type { RelayClient } from '../../relay/relay-client.ts';
import type { SignedIn } from '../keys/key-material.ts';
import type { RecentPhrase } from '../keys/recent-phrase.ts';

export type FactorDependencies = {
  readonly client: RelayClient;
  readonly recentPhrase: RecentPhrase;
};

/** One call that needs a fresh proof: the proof is for this body alone (SPEC.md §3.5). */
export type Act = { readonly act: StepUpAct; readonly bodyDigest: Bytes };

/** A secret that can prove anew that the account is the person's own. */
export type Proving = {
  /** @throws {VaultError} `wrong-password`; {RelayCallError} `too-many-requests`. */
  readonly prove: (asked: Act) => Promise<StepUpProof>;
  /** Wipes what was derived for it. */
  readonly end: () => void;
};

type SignIn = (dependencies: FactorDependencies, given: never) => Promise<SignedIn>;
/** Looks at what was given before the relay is asked anything. @throws {VaultError} for what can be no proof. */
type BeginProving = (dependencies: FactorDependencies, given: never) => Promise<Proving>;

/**
 * One way to show who one is: how a secret of a person opens the account, and proves anew that it is theirs. It is a file of
 * this folder, and a line in `factors.ts`.
 *
 * Each table goes by the name in the member `by` of what the page gives.
 */
export type Factor = {
  /** The keyslot that it makes and opens: no other factor has this kind. */
  readonly keyslot: KeyslotKind;
  /** For a device that knows nothing of the account. */
  readonly signIns?: Readonly<Record<string, SignIn>>;
  /** For one whose session is locked. */
  readonly unlocks?: Readonly<Record<string, SignIn>>;
  readonly proofs?: Readonly<Record<string, BeginProving>>;
};

/** Declares a factor. Its types are kept: the list of all factors says what the page may give. */
export function factor<const Declared extends Factor>(declared: Declared): Declared {
  return declared;
}

type TableOf<Each, Name extends keyof Factor> = Each extends { readonly [Member in Name]: infer Table } ? Table : never;
type GivenIn<Table> = Table extends Table
  ? {
      [By in keyof Table]: Table[By] extends (dependencies: FactorDependencies, given: infer Given) => unknown
        ? Given
        : never;
    }[keyof Table]
  : never;

/** Everything that a list of factors takes in one of its tables. */
export type GivenTo<List extends readonly Factor[], Name extends 'signIns' | 'unlocks' | 'proofs'> = GivenIn<
  TableOf<List[number], Name>
>;
