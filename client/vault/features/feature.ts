import type { RelayClient } from '../relay/relay-client.ts';
import type { TurnBeginnings } from '../asking/begin-turn.ts';
import type { TurnDriver } from '../asking/turn-driver.ts';
import type { AnyOperation, OperationType } from '../changes/operations/operation.ts';
import type { Outbox } from '../changes/outbox/outbox.ts';
import type { ShownContents } from '../changes/outbox/shown-contents.ts';
import type { VaultWriter } from '../changes/writing/vault-writer.ts';
import type { EnclaveSession } from '../enclave/enclave-session.ts';
import type { EnclaveWatch } from '../enclave/enclave-watch.ts';
import type { Minimums } from '../enclave/minimums.ts';
import type { Protection } from '../enclave/protection.ts';
import type { ReplyTracker } from '../replies/reply-tracker.ts';
import { toVaultError } from '../failures/vault-error.ts';
import type { CiphertextCache } from '../store/ciphertext-cache.ts';
import type { VaultStore } from '../store/vault-store.ts';
import type { Clock } from '../surroundings/clock.ts';
import type { TabLocks } from '../surroundings/vault-lock.ts';

/** All that a feature may use of the vault while it is open. */
export type FeatureVault = {
  readonly store: VaultStore;
  readonly cache: CiphertextCache;
  readonly outbox: Outbox;
  readonly shown: ShownContents;
  readonly writer: VaultWriter;
  readonly client: RelayClient;
  readonly enclaves: EnclaveSession;
  readonly watch: EnclaveWatch;
  readonly minimums: Minimums;
  readonly protection: Protection;
  readonly tracker: ReplyTracker;
  readonly turns: TurnBeginnings;
  readonly driver: TurnDriver;
  readonly clock: Clock;
  readonly locks: TabLocks;
  /** The page shows a conversation from now on, or null, a new chat, and hears of every change in it. */
  readonly show: (conversationId: string | null) => void;
};

/** Plain data, which crosses to the page as it is and can be compared as text. */
export type Plain =
  | string
  | number
  | boolean
  | null
  | readonly Plain[]
  | { readonly [name: string]: Plain | undefined };
/** Bytes only as a whole: a view of them could not be compared. */
type Answer = Plain | Uint8Array | void;

/** The page may call these: each takes one value and answers with one. */
export type Commands = Readonly<Record<string, (input: never) => Answer | Promise<Answer>>>;
/** The page may watch these: each is told again when it differs. */
export type Views = Readonly<Record<string, (vault: FeatureVault) => Plain>>;

/** One feature of the vault. */
export type Feature = {
  /** The operations of a person, which wait until the relay has them. */
  readonly operations?: readonly OperationType[];
  readonly commands?: (vault: FeatureVault) => Commands;
  readonly views?: Views;
  /** Any device does these for the account once it is up to date, one after another. */
  readonly chores?: readonly ((vault: FeatureVault) => Promise<void>)[];
};

/** Declares a feature. Its types are kept: the list of all features says what the page may ask for and watch. */
export function feature<const Declared extends Feature>(declared: Declared): Declared {
  return declared;
}

/** Looks at every view. One that fails is left out, so that the page hears of all the others. */
export function readViews(
  views: ReadonlyMap<string, Views[string]>,
  vault: FeatureVault,
  onFailure: () => void,
): Readonly<Record<string, Plain>> {
  const told = [...views].flatMap(([name, view]) => {
    try {
      return [[name, view(vault)] as const];
    } catch {
      onFailure();
      return [];
    }
  });
  return Object.fromEntries(told);
}

/** Does all chores, one after another. One that fails keeps none of the others waiting. @throws its error, afterwards. */
export async function doChores(features: readonly Feature[], vault: FeatureVault): Promise<void> {
  const failures: unknown[] = [];
  for (const chore of features.flatMap(({ chores = [] }) => chores)) {
    try {
      await chore(vault);
    } catch (error) {
      failures.push(error);
    }
  }
  for (const failure of failures) throw toVaultError(failure);
}

type Intersection<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

/** Operations of a list of features. */
export type OperationsOf<List extends readonly Feature[]> = List[number] extends infer Each
  ? Each extends { readonly operations: readonly (infer Type)[] }
    ? Type extends OperationType<infer Operation extends AnyOperation>
      ? Operation
      : never
    : never
  : never;

/** Every command of a list of features, by its name. */
export type CommandsOf<List extends readonly Feature[]> = Intersection<
  List[number] extends infer Each
    ? Each extends { readonly commands: (vault: FeatureVault) => infer Made }
      ? Made
      : never
    : never
>;

/** Every view of a list of features, by its name, as the page is told it. */
export type ViewsOf<List extends readonly Feature[]> = Intersection<
  List[number] extends infer Each
    ? Each extends { readonly views: infer Declared }
      ? { readonly [Name in keyof Declared]: Declared[Name] extends (vault: FeatureVault) => infer Told ? Told : never }
      : never
    : never
>;
