import type {
  KeyslotKind,
  StepUpAct,
  StepUpProof,
  StepUpStart,
  StepUpStartAnswer,
} from '../../../crypto/protocol/messages/account-messages.ts';
import type { Bytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Route } from '../../api/route/route.ts';
import type { AccountTable, StepUpTable } from '../../storage/tables/schema.ts';
import type { AttemptLimit } from '../attempts/login-limit.ts';
import type { AttemptTableName } from '../keyslots/open-session.ts';
import type { AccountDependencies } from '../sessions/account-dependencies.ts';

/** The factors that the messages name. */
export type FactorKind = StepUpProof['factor'];

/** The messages of a fresh proof, of each factor its own. */
export type StartOf = { readonly [Kind in FactorKind]: Extract<StepUpStart, { readonly factor: Kind }> };
export type StartAnswerOf = { readonly [Kind in FactorKind]: Extract<StepUpStartAnswer, { readonly factor: Kind }> };
export type ProofOf = { readonly [Kind in FactorKind]: Extract<StepUpProof, { readonly factor: Kind }> };

/** The second half of a fresh proof is judged by this. */
export type BegunProof = Pick<StepUpTable, 'server_state' | 'nonce'> & {
  readonly act: StepUpAct;
  readonly bodyDigest: Bytes;
  readonly account: AccountTable;
};

/** All of a factor that its list looks at. */
export type AnyFactor = {
  readonly kind: string;
  /** The keyslot that its proof releases: no other factor releases this kind. */
  readonly keyslot: KeyslotKind;
  /** True for those that each account has from its first moment on. */
  readonly comesWithAccount: boolean;
  /** Its begun sign-ins: rows that are swept away once they are late. */
  readonly attempts: readonly AttemptTableName[];
  /** Its guesses are counted under these names, apart from those of other factors. */
  readonly limits: readonly AttemptLimit[];
  /** Both halves of each way in. */
  routes(dependencies: AccountDependencies): readonly Route[];
};

/**
 * One way to show who one is: a file of this folder, and a line in `factors.ts`.
 *
 * A row of a begun proof does not name its factor. So what one factor keeps there must never be proven by another: its
 * signatures carry a label of their own.
 */
export type Factor<Kind extends FactorKind> = AnyFactor & {
  readonly kind: Kind;
  /**
   * First half of a fresh proof, before it is counted.
   *
   * @returns what the second half needs, and what the client is told.
   * @throws {RelayError} `bad-request`.
   */
  beginProof(
    dependencies: AccountDependencies,
    account: AccountTable,
    body: StartOf[Kind],
  ): Promise<{
    readonly kept: Pick<StepUpTable, 'server_state' | 'nonce'>;
    readonly answer: (stepUpId: string) => StartAnswerOf[Kind];
  }>;
  /** Second half, for an act and a body that were found to be the right ones. */
  isProven(dependencies: AccountDependencies, begun: BegunProof, proof: ProofOf[Kind]): Promise<boolean>;
};
