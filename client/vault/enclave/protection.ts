import {
  encodeVerificationDocument,
  parseVerificationDocument,
} from '../../../crypto/evidence/verification-document.ts';
import { fromBase64Url, toHex } from '../../../crypto/protocol/bytes/bytes.ts';
import { sha256 } from '../../../crypto/protocol/bytes/hash.ts';
import { keyIdOf } from '../../../crypto/primitives/key-id.ts';
import type { EnclaveSession } from './enclave-session.ts';
import { verificationOperation } from './later-verification.ts';
import type { Minimums } from './minimums.ts';
import type { Outbox } from '../changes/outbox/outbox.ts';
import type { MinimumView, VerificationView, VerifiedEnclaveView } from './protection-views.ts';
import { VaultError } from '../failures/vault-error.ts';
import type { VaultStore } from '../store/vault-store.ts';

export type ProtectionDependencies = {
  readonly enclaves: EnclaveSession;
  readonly minimums: Minimums;
  readonly store: VaultStore;
  readonly outbox: Pick<Outbox, 'of'>;
};

/** Tells what protects the open conversation: what the person asks for, what was verified, and the documents of it. */
export class Protection {
  readonly #dependencies: ProtectionDependencies;
  /** undefined as long as nobody looks. */
  #openId: string | null | undefined = undefined;

  constructor(dependencies: ProtectionDependencies) {
    this.#dependencies = dependencies;
  }

  /** @param conversationId - null for a new chat. */
  open(conversationId: string | null): void {
    this.#openId = conversationId;
    // A minimum that was lowered for a chat that never began does not apply to the next one.
    if (conversationId !== null) this.#dependencies.minimums.setForNew(null);
  }

  /** Judges the enclave that is shown by the minimum of what is open. The page was told that minimum before. */
  judge(): void {
    if (this.#openId === undefined) return;
    const { minimums, enclaves } = this.#dependencies;
    // This verdict is only shown: the code that seals judges again.
    enclaves.setMinimum(minimums.view(this.#openId).effective).catch(() => undefined);
  }

  /** The minimum for the conversation that the person looks at. */
  minimum(): MinimumView {
    return this.#dependencies.minimums.view(this.#openId ?? null);
  }

  /** @param turnId - null for what the shield shows now. */
  async readVerification(turnId: string | null): Promise<VerificationView | null> {
    if (turnId === null) {
      const document = this.#dependencies.enclaves.judgement?.document ?? null;
      return document === null ? null : viewOf(encodeVerificationDocument(document));
    }
    const { store, outbox } = this.#dependencies;
    // Newer than all that is stored: the question was sealed anew a moment ago.
    const waiting = outbox.of(verificationOperation).findLast(({ operation }) => operation.content.turnId === turnId);
    if (waiting !== undefined) return viewOf(waiting.operation.content.document);
    const kept = store.contents.verificationOf(turnId);
    const row = kept === null ? undefined : store.contents.rows.get(kept.id);
    if (row === undefined) return null;
    const content = store.open({ ...row, body: await store.cache.readBody(row.id) });
    if (content?.type !== 'verification') throw new VaultError('vault-tampered');
    return viewOf(content.document);
  }
}

function viewOf(text: string): VerificationView {
  const { verifiedAtMs, minimum, model, evidenceDigest, enclaves, policy } = parseVerificationDocument(text);
  return {
    verifiedAtMs,
    minimum,
    modelAsked: model,
    evidenceDigest: evidenceDigest === null ? null : toHex(fromBase64Url(evidenceDigest)),
    enclaves: enclaves.map(({ answer, result }): VerifiedEnclaveView => {
      const [key] = answer.publicKeys;
      const [machine] = answer.evidence;
      const identity = machine === undefined || machine.kind === 'nvidia-gpu' ? null : machine.identityPublicKey;
      const fingerprints = {
        keyFingerprint: key === undefined ? null : attempt(() => toHex(keyIdOf(fromBase64Url(key)))),
        identityFingerprint: identity === null ? null : attempt(() => toHex(sha256(fromBase64Url(identity)))),
      };
      const { steps } = result;
      if (result.refused) {
        return { claim: null, steps, model: null, measurement: null, release: null, ...fingerprints };
      }
      const { kind, level, model: runs, measurement } = result;
      const release = policy.releases.find(({ version }) => version === result.release);
      return {
        claim: { kind, level, release: result.release },
        steps,
        model: runs,
        measurement,
        release: release === undefined ? null : { version: release.version, url: release.url },
        ...fingerprints,
      };
    }),
    text,
  };
}

/** Refused evidence may have parts that cannot be read. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
