import { digestActBody } from '../../../crypto/sign-in/step-up.ts';
import type { StepUpAct, StepUpProof } from '../../../crypto/protocol/messages/account-messages.ts';
import type { FactorDependencies, Proving } from './factors/factor.ts';
import { type OwnProof, takerOf } from './factors/factors.ts';

/** Shows the relay anew that the account is the person's own, for one call at a time (SPEC.md §3.5). */
export class Prover {
  readonly #proving: Proving;

  private constructor(proving: Proving) {
    this.#proving = proving;
  }

  /** @throws {VaultError} for what can be no proof, as its factor says: the relay is not asked yet. */
  static async open(dependencies: FactorDependencies, given: OwnProof): Promise<Prover> {
    return new Prover(await takerOf('proofs', given.by)(dependencies, given as never));
  }

  /**
   * @param body - The act's message without its `proof`.
   * @throws {VaultError} `wrong-password`; {RelayCallError} `too-many-requests`.
   */
  prove(act: StepUpAct, body: object): Promise<StepUpProof> {
    return this.#proving.prove({ act, bodyDigest: digestActBody(body) });
  }

  /** Wipes what was derived for it. */
  end(): void {
    this.#proving.end();
  }
}
