import * as v from 'valibot';
import { type EnclavePolicy, enclavePolicy } from '../../../crypto/evidence/policy/policy.ts';
import { higherLevel, type ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
import { type Clock, laterThan } from '../surroundings/clock.ts';
import type { ShownContents } from '../changes/outbox/shown-contents.ts';
import type { MinimumView } from './protection-views.ts';
import type { SetMinimum } from '../items/settings.ts';
import type { VaultContents } from '../store/vault-contents.ts';
import { VaultError } from '../failures/vault-error.ts';

export type MinimumDependencies = {
  readonly contents: VaultContents;
  readonly shown: ShownContents;
  readonly clock: Clock;
  readonly policy: unknown;
};

/**
 * Holds what the person asks of an enclave. It lies sealed among the settings and in the conversations, so no relay reads or
 * changes it. The later of the account's minimum and the conversation's holds.
 */
export class Minimums {
  readonly #dependencies: MinimumDependencies;
  readonly #strongest: ProtectionLevel;
  /** For the chat that has no conversation yet: it goes with the first question. */
  #forNew: SetMinimum | null = null;

  constructor(dependencies: MinimumDependencies) {
    this.#dependencies = dependencies;
    const policy = v.safeParse(enclavePolicy, dependencies.policy);
    this.#strongest = policy.success ? strongestLevel(policy.output) : 'any';
  }

  /**
   * Gives the level that an enclave must offer before anything is sealed to it.
   *
   * @param conversationId - null for a new chat.
   * @throws {VaultError} `other-version` while a later build's word of it cannot be read: then no enclave is good enough.
   */
  effective(conversationId: string | null): ProtectionLevel {
    if (this.#dependencies.contents.hidesMinimum(conversationId)) throw new VaultError('other-version');
    return this.#known(conversationId);
  }

  #known(conversationId: string | null): ProtectionLevel {
    return (this.#ofConversation(conversationId) ?? this.#ofAccount())?.value ?? 'any';
  }

  view(conversationId: string | null): MinimumView {
    return {
      account: this.#ofAccount(),
      conversation: this.#ofConversation(conversationId),
      effective: this.#known(conversationId),
      strongest: this.#strongest,
    };
  }

  /** When a minimum for the account is set: it takes back what was set for single conversations, whatever clocks said. */
  timeForAccount(): number {
    const said = [...this.#dependencies.shown.conversations().values()].map(({ content }) => content.minimumProtection);
    return this.#laterThan([this.#ofAccount(), ...said]);
  }

  /** When a minimum for one conversation is set. */
  timeFor(conversationId: string | null): number {
    return this.#laterThan([this.#ofAccount(), this.#saidOf(conversationId)]);
  }

  /** @param minimum - null: the next new conversation begins without. */
  setForNew(minimum: SetMinimum | null): void {
    this.#forNew = minimum;
  }

  /** The minimum that a new conversation begins with. */
  forNew(): SetMinimum | null {
    return this.#ofConversation(null);
  }

  /** The minimum that holds where nothing else was said. */
  account(): ProtectionLevel {
    return this.#ofAccount()?.value ?? 'any';
  }

  /** The minimum that was set in a conversation, in force or not. */
  said(conversationId: string): SetMinimum | null {
    return this.#saidOf(conversationId);
  }

  #ofAccount(): SetMinimum | null {
    return this.#dependencies.shown.settings().minimumProtection;
  }

  /** If both were set at one time, the account's holds, because it is for everything. */
  #ofConversation(conversationId: string | null): SetMinimum | null {
    const said = this.#saidOf(conversationId);
    const account = this.#ofAccount();
    return said !== null && (account === null || said.setAtMs > account.setAtMs) ? said : null;
  }

  #saidOf(conversationId: string | null): SetMinimum | null {
    if (conversationId === null) return this.#forNew;
    return this.#dependencies.shown.conversation(conversationId)?.minimumProtection ?? null;
  }

  #laterThan(known: readonly (SetMinimum | null | undefined)[]): number {
    return laterThan(
      this.#dependencies.clock,
      known.map((each) => each?.setAtMs ?? 0),
    );
  }
}

/** The most that evidence which this policy accepts can come to. */
function strongestLevel({ allowedKinds, modal, sevSnp, tdx, nvidiaGpu }: EnclavePolicy): ProtectionLevel {
  const levels = allowedKinds.map((kind): ProtectionLevel => {
    if (kind === 'modal') return modal === null ? 'any' : 'stated';
    if (kind === 'development') return 'any';
    if ((kind === 'sev-snp' ? sevSnp : tdx) === null) return 'any';
    return nvidiaGpu === null ? 'hardware' : 'hardware-gpu';
  });
  return levels.reduce(higherLevel, 'any');
}
