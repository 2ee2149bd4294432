import type { PossessionPurpose } from '../../../crypto/evidence/modal/possession.ts';
import { registrarStatement } from '../../../crypto/protocol/messages/evidence-messages.ts';
import { type RegistrarAnswer, registrarErrorCodes } from '../../../crypto/protocol/messages/registrar-messages.ts';
import { type Bytes, decodeUtf8, fromBase64Url, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { decodeCanonicalJson } from '../../../crypto/protocol/json/canonical-json.ts';
import type { Secret } from '../../../crypto/protocol/bytes/secret.ts';
import {
  type CollectedEvidence,
  EvidenceError,
  type EvidenceProblem,
  type EvidenceSource,
} from '../source/evidence-source.ts';
import { RegistrarClient, RegistrarRefused } from './registrar-client.ts';
import { type Dated, Renewal } from '../source/renewal.ts';

const maximumStatementLength = 4096;

/**
 * A registrar's statement that this identity key is held by a container of one deployment on Modal (SPEC.md §9.6). The
 * container's identity token goes to the registrar, once, and nowhere else.
 */
export class ModalSource implements EvidenceSource {
  readonly #identityPublicKey: Uint8Array;
  readonly #identityToken: Secret<'IdentityToken'>;
  readonly #sign: (challenge: Bytes, purpose: PossessionPurpose) => Promise<Bytes>;
  readonly #client: RegistrarClient;
  readonly #nowMs: () => number;
  readonly #renewal: Renewal<CollectedEvidence>;
  /** True if a registration may have gone through, its answer lost perhaps. */
  #mayBeRegistered = false;

  constructor(input: {
    readonly identityPublicKey: Uint8Array;
    readonly identityToken: Secret<'IdentityToken'>;
    readonly registrarUrl: string;
    /** Done where the identity key is. */
    readonly sign: (challenge: Bytes, purpose: PossessionPurpose) => Promise<Bytes>;
    readonly nowMs: () => number;
    readonly onProblem: (problem: EvidenceProblem) => void;
    readonly onReady?: () => void;
  }) {
    this.#identityPublicKey = input.identityPublicKey;
    this.#identityToken = input.identityToken;
    this.#sign = input.sign;
    this.#client = new RegistrarClient(input.registrarUrl);
    this.#nowMs = input.nowMs;
    this.#renewal = new Renewal({
      collect: () => this.#collect(),
      nowMs: input.nowMs,
      onProblem: input.onProblem,
      ...(input.onReady === undefined ? {} : { onReady: input.onReady }),
    });
  }

  get isReady(): boolean {
    return this.#renewal.isReady;
  }

  start(): void {
    this.#renewal.start();
  }

  current(): Promise<CollectedEvidence> {
    return this.#renewal.current();
  }

  close(): void {
    this.#renewal.close();
  }

  async #collect(): Promise<Dated<CollectedEvidence>> {
    try {
      return this.#read(await this.#renewOrRegister());
    } catch (error) {
      if (error instanceof RegistrarRefused) {
        const { advice } = registrarErrorCodes[error.code];
        throw new EvidenceError(advice === 'retry' ? 'registrar-unreachable' : 'registrar-refused');
      }
      throw error;
    }
  }

  /** A token registers one key, once: after a lost answer it is asked first whether this one is known already. */
  async #renewOrRegister(): Promise<RegistrarAnswer> {
    if (this.#mayBeRegistered) {
      try {
        return await this.#ask({ kind: 'renew' });
      } catch (error) {
        if (!(error instanceof RegistrarRefused) || error.code !== 'not-registered') throw error;
      }
    }
    this.#mayBeRegistered = true;
    return this.#ask({ kind: 'register', identityToken: decodeUtf8(this.#identityToken.expose()) });
  }

  async #ask(purpose: PossessionPurpose): Promise<RegistrarAnswer> {
    const challenge = await this.#client.challenge();
    const signature = await this.#sign(fromBase64Url(challenge), purpose);
    return this.#client.ask({
      ...(purpose.kind === 'register' ? { identityToken: purpose.identityToken } : {}),
      identityPublicKey: toBase64Url(this.#identityPublicKey),
      challenge,
      signature: toBase64Url(signature),
    });
  }

  /** Only for its dates, and whether it is about this key: clients verify the rest. */
  #read({ evidence }: RegistrarAnswer): Dated<CollectedEvidence> {
    let statement;
    try {
      statement = decodeCanonicalJson(fromBase64Url(evidence.statement), registrarStatement, maximumStatementLength);
    } catch {
      throw new EvidenceError('malformed');
    }
    const identity = toBase64Url(this.#identityPublicKey);
    const nowMs = this.#nowMs();
    const isOurs = evidence.identityPublicKey === identity && statement.identityPublicKey === identity;
    if (!isOurs || statement.notAfterMs <= nowMs) throw new EvidenceError('malformed');
    return {
      value: { evidence: [evidence], collateral: [], collateralNeeds: [] },
      renewAtMs: nowMs + Math.floor((statement.notAfterMs - nowMs) / 2),
      notAfterMs: statement.notAfterMs,
    };
  }
}
