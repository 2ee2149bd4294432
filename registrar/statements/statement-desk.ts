import { verifyPossession, type PossessionPurpose } from '../../crypto/evidence/modal/possession.ts';
import {
  encodeLogEntry,
  parseRegistrarStatement,
  decodeLogEntry,
  type SignedStatement,
  signRegistrarStatement,
} from '../../crypto/evidence/modal/registrar-statement.ts';
import type {
  RegisterRequest,
  RegistrarAnswer,
  RegistrarChallengeAnswer,
  RenewRequest,
} from '../../crypto/protocol/messages/registrar-messages.ts';
import { type Bytes, fromBase64Url, toBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import { Challenges } from '../identity/challenges.ts';
import { verifyIdentityToken } from '../identity/identity-token.ts';
import { IssuerKeys } from '../identity/issuer-keys.ts';
import type { LoggedEntry, PublicLog } from '../public-log/public-log.ts';
import type { Publisher } from '../public-log/publisher.ts';
import { RegistrarError } from '../registrar-error.ts';
import type { Settings } from '../settings.ts';
import type { RegistrarDatabase } from '../storage/registrar-database.ts';
import { OneAtATime } from '../../process/one-at-a-time.ts';
import { type Registration, Registrations } from './registrations.ts';
import { RenewalLimit } from './renewal-limit.ts';

/** Callers that may wait; more than that is a keeper that hangs. */
const mostWaiting = 64;

type Dependencies = {
  readonly settings: Settings;
  readonly database: RegistrarDatabase;
  readonly log: PublicLog;
  readonly publisher: Publisher;
};
type Issued = { readonly signed: SignedStatement; readonly entry: LoggedEntry };

/** Gives enclaves on Modal their statements (SPEC.md §9.6). */
export class StatementDesk {
  readonly #dependencies: Dependencies;
  readonly #challenges = new Challenges();
  readonly #keys: IssuerKeys;
  readonly #registrations: Registrations;
  readonly #renewals = new RenewalLimit();
  readonly #turns = new OneAtATime({
    most: mostWaiting,
    refusal: () => new RegistrarError('log-unavailable', 5),
  });
  #lastIssuedAtMs: number;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    this.#keys = new IssuerKeys(dependencies.settings.issuer);
    this.#registrations = new Registrations(dependencies.database);
    this.#lastIssuedAtMs = lastTimeOf(dependencies.log);
  }

  challenge(nowMs: number): RegistrarChallengeAnswer {
    const { challenge, expiresAtMs } = this.#challenges.draw(nowMs);
    return { format: 1, challenge: toBase64Url(challenge), expiresAtMs };
  }

  /** A token registers one key, once, and so does a container. @throws {RegistrarError} */
  async register(request: RegisterRequest, nowMs: number): Promise<RegistrarAnswer> {
    const { identityToken } = request;
    const { settings } = this.#dependencies;
    const identityPublicKey = this.#provePossession(request, { kind: 'register', identityToken }, nowMs);
    const { issuer, deployment } = settings;
    const container = await verifyIdentityToken(identityToken, { issuer, deployment, keys: this.#keys, nowMs });
    return this.#turns.run(() => {
      const work = () => this.#registrations.add(identityPublicKey, container, nowMs);
      return this.#state(identityPublicKey, work, nowMs);
    });
  }

  /** The same key again, as long as its container can live. @throws {RegistrarError} */
  async renew(request: RenewRequest, nowMs: number): Promise<RegistrarAnswer> {
    const identityPublicKey = this.#provePossession(request, { kind: 'renew' }, nowMs);
    const registration = this.#registrations.find(identityPublicKey);
    if (registration === null) throw new RegistrarError('not-registered');
    if (registration.renewableUntilMs <= nowMs) throw new RegistrarError('registration-over');
    // A deployment that was taken out of the settings gets nothing new.
    if (!this.#isListed(registration)) throw new RegistrarError('wrong-deployment');
    this.#renewals.take(request.identityPublicKey, nowMs);
    return this.#turns.run(() => this.#state(identityPublicKey, () => registration, nowMs));
  }

  #provePossession(request: RenewRequest, purpose: PossessionPurpose, nowMs: number): Bytes {
    const identityPublicKey = fromBase64Url(request.identityPublicKey);
    const challenge = fromBase64Url(request.challenge);
    const signature = fromBase64Url(request.signature);
    this.#challenges.take(challenge, nowMs);
    if (!verifyPossession({ identityPublicKey, challenge, purpose, signature })) {
      throw new RegistrarError('possession-refused');
    }
    return identityPublicKey;
  }

  /** Registers (where that is the work), signs and logs in one transaction; gives it out once it cannot be lost. */
  async #state(identityPublicKey: Bytes, work: () => Registration, nowMs: number): Promise<RegistrarAnswer> {
    const { database, publisher } = this.#dependencies;
    const { issued, registration } = database.transaction(() => {
      const found = work();
      return { registration: found, issued: this.#issue(identityPublicKey, found, nowMs) };
    });
    const { entry } = issued;
    await publisher.publish({ note: entry.checkpoint, size: entry.size, rootHash: entry.rootHash });
    return answerOf(identityPublicKey, registration, issued);
  }

  /** Signs and logs, inside a transaction. */
  #issue(identityPublicKey: Uint8Array, registration: Registration, nowMs: number): Issued {
    const { settings, log } = this.#dependencies;
    const { renewableUntilMs, ...container } = registration;
    // In the log's order times never fall, whatever this machine's clock does.
    const issuedAtMs = Math.max(nowMs, this.#lastIssuedAtMs);
    const notAfterMs = Math.min(issuedAtMs + settings.statementLifeMs, renewableUntilMs);
    if (notAfterMs <= issuedAtMs) throw new RegistrarError('registration-over');
    const signed = signRegistrarStatement(settings.keys.statement.secretKey, {
      format: 1,
      platform: 'modal',
      identityPublicKey: toBase64Url(identityPublicKey),
      ...container,
      issuedAtMs,
      notAfterMs,
    });
    const entry = log.append(encodeLogEntry(signed));
    this.#lastIssuedAtMs = issuedAtMs;
    return { signed, entry };
  }

  #isListed({ workspaceId, environmentId, appId, functionId }: Registration): boolean {
    const { workspaceIds, environmentIds, appIds, functionIds } = this.#dependencies.settings.deployment;
    return (
      workspaceIds.includes(workspaceId) &&
      environmentIds.includes(environmentId) &&
      appIds.includes(appId) &&
      functionIds.includes(functionId)
    );
  }
}

function answerOf(identityPublicKey: Bytes, registration: Registration, issued: Issued): RegistrarAnswer {
  const { signed, entry } = issued;
  return {
    format: 1,
    evidence: {
      kind: 'modal',
      identityPublicKey: toBase64Url(identityPublicKey),
      statement: toBase64Url(signed.statement),
      signature: toBase64Url(signed.signature),
      checkpoint: entry.checkpoint,
      leafIndex: entry.leafIndex,
      inclusionProof: entry.inclusionProof.map((sibling) => toBase64Url(sibling)),
    },
    renewableUntilMs: registration.renewableUntilMs,
  };
}

function lastTimeOf({ tree }: PublicLog): number {
  const { size } = tree;
  const [entry] = size === 0 ? [] : tree.entries(size - 1, 1);
  return entry === undefined ? 0 : parseRegistrarStatement(decodeLogEntry(entry).statement).issuedAtMs;
}
