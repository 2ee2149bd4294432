import * as v from 'valibot';
import { type EnclavePolicy, enclavePolicy } from '../../../crypto/evidence/policy.ts';
import { higherLevel, type ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
import { randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Clock } from '../surroundings/clock.ts';
import type { Outbox } from '../changes/outbox.ts';
import { isLaterMinimum, newestSettings } from '../changes/plan-settings.ts';
import type { MinimumView } from './protection-views.ts';
import type { SetMinimum } from '../changes/plan-settings.ts';
import type { VaultContents } from '../store/vault-contents.ts';
import { VaultError } from '../failures/vault-error.ts';

export type MinimumParts = {
  readonly contents: VaultContents;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly policy: unknown;
};

/**
 * What the person asks of an enclave. It lies sealed among the settings and in the conversations, so no relay reads or
 * changes it; of account and conversation the one that was set later holds.
 */
export class Minimums {
  readonly #parts: MinimumParts;
  readonly #strongest: ProtectionLevel;
  /** For the chat that has no conversation yet: it goes with the first question. */
  #forNew: SetMinimum | null = null;

  constructor(parts: MinimumParts) {
    this.#parts = parts;
    const policy = v.safeParse(enclavePolicy, parts.policy);
    this.#strongest = policy.success ? strongestLevel(policy.output) : 'any';
  }

  /**
   * What an enclave must offer before anything is sealed to it.
   *
   * @param conversationId - null for a new chat.
   * @throws {VaultError} `other-version` while a later build's word of it cannot be read: then no enclave is good enough.
   */
  effective(conversationId: string | null): ProtectionLevel {
    if (this.#parts.contents.hidesMinimum(conversationId)) throw new VaultError('other-version');
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

  async setForAccount(level: ProtectionLevel): Promise<void> {
    const setAtMs = this.#laterThan(this.#ofAccount(), this.#newestOfConversations());
    this.#forNew = null;
    await this.#parts.outbox.put({ kind: 'minimum', level, setAtMs, itemId: toBase64Url(randomBytes(16)) });
  }

  async setForConversation(conversationId: string | null, level: ProtectionLevel): Promise<void> {
    const setAtMs = this.#laterThan(this.#ofAccount(), this.#saidOf(conversationId));
    if (conversationId === null) this.#forNew = { value: level, setAtMs };
    else await this.#parts.outbox.put({ kind: 'conversation-minimum', conversationId, level, setAtMs });
  }

  /** What a new conversation begins with. */
  forNew(): SetMinimum | null {
    return this.#ofConversation(null);
  }

  /** The next new conversation begins without. */
  clearNew(): void {
    this.#forNew = null;
  }

  /** What holds where nothing else was said. */
  account(): ProtectionLevel {
    return this.#ofAccount()?.value ?? 'any';
  }

  /** What was said in a conversation, in force or not. */
  said(conversationId: string): SetMinimum | null {
    return this.#saidOf(conversationId);
  }

  #ofAccount(): SetMinimum | null {
    const { contents, outbox } = this.#parts;
    let newest = newestSettings(contents.settings.values()).minimumProtection;
    for (const { operation } of outbox.all) {
      if (operation.kind !== 'minimum') continue;
      const waiting = { value: operation.level, setAtMs: operation.setAtMs };
      if (isLaterMinimum(waiting, newest)) newest = waiting;
    }
    return newest;
  }

  /** Of two that were set at one time the account's, which is for everything, holds. */
  #ofConversation(conversationId: string | null): SetMinimum | null {
    const said = this.#saidOf(conversationId);
    const account = this.#ofAccount();
    return said !== null && (account === null || said.setAtMs > account.setAtMs) ? said : null;
  }

  #saidOf(conversationId: string | null): SetMinimum | null {
    if (conversationId === null) return this.#forNew;
    const { contents, outbox } = this.#parts;
    let newest = contents.conversations.get(conversationId)?.minimumProtection ?? null;
    for (const { operation } of outbox.all) {
      const waiting = saidIn(operation, conversationId);
      if (waiting !== null && isLaterMinimum(waiting, newest)) newest = waiting;
    }
    return newest;
  }

  /** Setting the account's takes back what was set for single conversations, whatever another device's clock had said. */
  #newestOfConversations(): SetMinimum | null {
    let newest: SetMinimum | null = null;
    for (const id of this.#parts.contents.conversations.keys()) {
      const said = this.#saidOf(id);
      if (said !== null && isLaterMinimum(said, newest)) newest = said;
    }
    return newest;
  }

  #laterThan(...known: readonly (SetMinimum | null)[]): number {
    const times = known.map((each) => (each?.setAtMs ?? 0) + 1);
    return Math.max(Math.floor(this.#parts.clock.wallMs()), ...times);
  }
}

function saidIn(operation: Outbox['all'][number]['operation'], conversationId: string): SetMinimum | null {
  if (operation.kind === 'conversation-minimum' && operation.conversationId === conversationId) {
    return { value: operation.level, setAtMs: operation.setAtMs };
  }
  if (operation.kind !== 'turn' || operation.conversationId !== conversationId) return null;
  return operation.newConversation?.minimumProtection ?? null;
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
