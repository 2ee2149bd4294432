import * as v from 'valibot';
import { enclavePolicy } from '../../../crypto/evidence/policy/policy.ts';
import type { EnclaveChoice, EnclaveRequest } from '../../../crypto/protocol/messages/enclave-messages.ts';
import type { ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
import { type Bytes, randomBytes, toBase64Url, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { sha256 } from '../../../crypto/protocol/bytes/hash.ts';
import { type Clock, wait } from '../surroundings/clock.ts';
import { withOlderRelay } from '../relay/http/older-relay.ts';
import type { RelayClient } from '../relay/relay-client.ts';
import type { AcceptedVerdict } from '../../../crypto/evidence/second-enclave.ts';
import type { ProtectionClaim } from '../../../crypto/protocol/contents/protection-sentence.ts';
import { type Judgement, ReceivedChoice } from './received-choice.ts';
import type { ShownEnclave } from '../changes/operations/turn-operation.ts';
import type { EnclaveView } from './protection-views.ts';
import { toVaultError, toVaultFailure, VaultError } from '../failures/vault-error.ts';
import { readVerified, type VerifiedEnclave } from './verified-enclave.ts';

/** A tab stays open for weeks: a relay that was older is asked like a newer one again. */
const plainForMs = 3_600_000;
/** Longer than this nobody waits to see a question leave the box. */
const admissionMs = 3_000;

export type EnclaveDependencies = {
  readonly client: Pick<RelayClient, 'askEnclave'>;
  readonly clock: Clock;
  readonly policy: unknown;
  readonly onView: (view: EnclaveView) => void;
};

/**
 * The shield of this tab: asks for an enclave, judges it, and keeps what it was shown as. The view is judged by the
 * minimum of the open conversation; a question is judged by its own conversation's.
 */
export class EnclaveSession {
  readonly #dependencies: EnclaveDependencies;
  #view: EnclaveView = { kind: 'idle' };
  #received: ReceivedChoice | null = null;
  #judgement: Judgement | null = null;
  #shown: VerifiedEnclave | null = null;
  /** The policy wants hardware to sign for each question of its own. */
  readonly #isStrict: boolean;
  #minimum: ProtectionLevel = 'any';
  /** Until then a relay that refused the wish for a statement of format 2 is asked without it. */
  #plainUntilMs = 0;
  #asking: Promise<ReceivedChoice> | null = null;

  constructor(dependencies: EnclaveDependencies) {
    this.#dependencies = dependencies;
    const policy = v.safeParse(enclavePolicy, dependencies.policy);
    this.#isStrict = policy.success && policy.output.requireNonceInReport;
  }

  get view(): EnclaveView {
    return this.#view;
  }

  /** The enclave as a person who presses Send now sees it; null before anything was verified. */
  get shown(): ShownEnclave | null {
    return this.#view.kind === 'verified' ? (this.#shown?.shown ?? null) : null;
  }

  /** The judgement that the view rests on, refused or not. */
  get judgement(): Judgement | null {
    return this.#judgement;
  }

  /** True if the view shows an enclave whose evidence is still new enough. */
  get isFresh(): boolean {
    return this.#view.kind === 'verified' && this.#shown?.isFresh() === true;
  }

  /** Somebody asks again: the earlier verdict gives way at once. */
  showConnecting(): void {
    this.#show({ kind: 'connecting' });
  }

  /** Sets the minimum of the open conversation; a higher one refuses at once an enclave that was good enough before. */
  async setMinimum(minimum: ProtectionLevel): Promise<void> {
    if (this.#minimum === minimum) return;
    this.#minimum = minimum;
    if (this.#received !== null) await this.#judgeForView(this.#received);
  }

  /**
   * The enclave as it is known, asked anew if that was long ago.
   *
   * @param minimum - The minimum of the conversation that a question belongs to.
   * @throws {VaultError} `evidence-refused`, `enclave-unreachable`, `enclave-starting`, `relay-unreachable` and so on.
   */
  async current(minimum: ProtectionLevel): Promise<VerifiedEnclave> {
    const known = this.#received === null ? null : await this.#verified(this.#received, minimum);
    if (known?.isFresh() === true) return known;
    return this.#requireVerified(await this.ask(), minimum);
  }

  /**
   * Checks that a question of this minimum may be kept for sending, and waits a moment for a verdict that is on its way. Where
   * there is nobody to send the words to, they stay where they were written.
   *
   * @throws {VaultError} `evidence-refused` alone: without a network the question is kept.
   */
  async admit(minimum: ProtectionLevel): Promise<void> {
    const enough = new AbortController();
    try {
      await Promise.race([this.current(minimum), wait(this.#dependencies.clock, admissionMs, enough.signal)]);
    } catch (error) {
      if (toVaultError(error).code === 'evidence-refused') throw error;
    } finally {
      enough.abort();
    }
  }

  /** @throws {VaultError} when none answers; a refusal is shown, and is for whoever seals to find. */
  async ask(): Promise<ReceivedChoice> {
    this.#asking ??= this.#askOnce().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** Judges the choice that came with `enclave-changed`. @param nonce - The nonce of the call that it answers. */
  async adopt(choice: EnclaveChoice, nonce: Bytes, minimum: ProtectionLevel): Promise<VerifiedEnclave> {
    // Evidence that comes with `enclave-changed` answers the relay's own question to the hardware, not this client's.
    const received = this.#isStrict ? await this.ask() : await this.#take(choice, nonce);
    return this.#requireVerified(received, minimum);
  }

  /** Drops the verified enclave: it does not know its key any more, or its time has run out. */
  forget(): void {
    this.#received = null;
  }

  async #askOnce(): Promise<ReceivedChoice> {
    // A refusal stays on the screen until there is another verdict: it must not flicker with every try.
    if (this.#view.kind === 'idle' || this.#view.kind === 'unreachable') this.showConnecting();
    const nonce = randomBytes(32);
    try {
      const question = { format: 1, nonce: toBase64Url(nonce), model: 'default' } as const;
      const choice = await this.#askRelay(this.#isStrict ? { ...question, freshEvidence: true } : question);
      return await this.#take(choice, nonce);
    } catch (error) {
      this.#received = null;
      this.#judgement = null;
      this.#shown = null;
      this.#show(this.#failed(error));
      throw toVaultError(error);
    }
  }

  /** A relay of before format 2 refuses the wish for it. It is asked without then, until it may have been replaced. */
  async #askRelay(question: EnclaveRequest): Promise<EnclaveChoice> {
    const { client, clock } = this.#dependencies;
    if (clock.monotonicMs() < this.#plainUntilMs) return client.askEnclave(question);
    return withOlderRelay<EnclaveRequest, EnclaveChoice>({ ...question, statement: 2 }, (body) => {
      if (body.statement === undefined) this.#plainUntilMs = clock.monotonicMs() + plainForMs;
      return client.askEnclave(body);
    });
  }

  #failed(error: unknown): EnclaveView {
    const failure = toVaultFailure(error);
    if (failure.code !== 'enclave-starting') return { kind: 'unreachable', failure };
    const sinceMs = this.#view.kind === 'starting' ? this.#view.sinceMs : this.#dependencies.clock.wallMs();
    return { kind: 'starting', sinceMs };
  }

  async #take(choice: EnclaveChoice, nonce: Bytes): Promise<ReceivedChoice> {
    const received = new ReceivedChoice(choice, nonce, this.#dependencies);
    this.#received = received;
    await this.#judgeForView(received);
    return received;
  }

  async #judgeForView(received: ReceivedChoice): Promise<void> {
    const minimum = this.#minimum;
    const judgement = await received.judge(minimum);
    // Something newer was shown meanwhile.
    if (this.#received !== received || this.#minimum !== minimum) return;
    this.#judgement = judgement;
    this.#shown = readVerified(received, judgement, this.#dependencies.clock);
    this.#show(viewOf(received, judgement));
  }

  async #verified(received: ReceivedChoice, minimum: ProtectionLevel): Promise<VerifiedEnclave | null> {
    return readVerified(received, await received.judge(minimum), this.#dependencies.clock);
  }

  async #requireVerified(received: ReceivedChoice, minimum: ProtectionLevel): Promise<VerifiedEnclave> {
    const verified = await this.#verified(received, minimum);
    if (verified === null) throw new VaultError('evidence-refused');
    return verified;
  }

  #show(view: EnclaveView): void {
    this.#view = view;
    this.#dependencies.onView(view);
  }
}

function viewOf(received: ReceivedChoice, { verdict, alternate, withoutMinimum }: Judgement): EnclaveView {
  if (verdict.refused) {
    const { code, steps } = verdict;
    return { kind: 'refused', code, steps, withoutMinimum: withoutMinimum === null ? null : claimOf(withoutMinimum) };
  }
  const { statement, kind, level, measurement, release, publicKeys, identityPublicKey, steps } = verdict;
  return {
    kind: 'verified',
    evidenceKind: kind,
    level,
    measurement,
    release: release === null ? null : { version: release.version, url: release.url },
    hasAlternate: alternate !== null,
    steps,
    model: statement.model,
    engine: statement.engine,
    keyFingerprint: toHex(publicKeys[0]?.keyId ?? new Uint8Array(0)),
    identityFingerprint: toHex(sha256(identityPublicKey)),
    verifiedAtMs: received.wallMs,
    status: received.choice.status,
  };
}

function claimOf({ kind, level, release }: AcceptedVerdict): ProtectionClaim {
  return { kind, level, release: release?.version ?? null };
}
