import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import {
  decodeLogEntry,
  parseRegistrarStatement,
  statementSignedBytes,
} from '../../crypto/evidence/modal/registrar-statement.ts';
import type { ModalPolicy } from '../../crypto/evidence/policy/policy.ts';
import type { RegistrarStatement } from '../../crypto/protocol/messages/evidence-messages.ts';
import { DishonestLog } from './log-reader.ts';

/** No registrar of ours states anything for longer (SPEC.md §9.6). */
const longestLifeMs = 3_600_000;
const clockSkewMs = 300_000;

/** Checks every entry as it comes, and against those before it. */
export class StatementCheck {
  readonly #policy: ModalPolicy;
  readonly #registrarKey: KeyObject;
  readonly #nowMs: number;
  /** Which container each identity key was stated to be in. */
  readonly #containers = new Map<string, string>();
  /** And the other way round: a container has one worker, and that one key. */
  readonly #identities = new Map<string, string>();
  #lastIssuedAtMs = 0;
  /** Statements about another deployment than the policy's: no fault, but worth knowing. */
  foreign = 0;

  constructor(policy: ModalPolicy, nowMs: number) {
    this.#policy = policy;
    // A log has many statements: OpenSSL verifies them twenty times as fast as the client's own code does.
    this.#registrarKey = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: policy.registrarPublicKey },
      format: 'jwk',
    });
    this.#nowMs = nowMs;
  }

  get identities(): number {
    return this.#containers.size;
  }

  /** @throws {DishonestLog} */
  add(entry: Uint8Array, place: number): void {
    const fail = (what: string) => new DishonestLog(`Entry ${place} ${what}.`);
    const statement = this.#read(entry);
    if (statement === null) throw fail('is not a statement that the registrar signed');
    const { issuedAtMs, notAfterMs, identityPublicKey } = statement;
    if (notAfterMs <= issuedAtMs || notAfterMs - issuedAtMs > longestLifeMs) {
      throw fail('holds for longer than an hour');
    }
    if (issuedAtMs < this.#lastIssuedAtMs) throw fail('is older than the entry before it');
    if (issuedAtMs > this.#nowMs + clockSkewMs) throw fail('is of the future');
    this.#lastIssuedAtMs = issuedAtMs;
    const { workspaceId, environmentId, appId, functionId, containerId } = statement;
    const container = JSON.stringify([workspaceId, environmentId, appId, functionId, containerId]);
    if ((this.#containers.get(identityPublicKey) ?? container) !== container) {
      throw fail('puts an identity key into a second container');
    }
    this.#containers.set(identityPublicKey, container);
    if ((this.#identities.get(container) ?? identityPublicKey) !== identityPublicKey) {
      throw fail('states a second identity key of a container');
    }
    this.#identities.set(container, identityPublicKey);
    const isOurs = (['workspaceId', 'environmentId', 'appId', 'functionId'] as const).every(
      (field) => statement[field] === this.#policy[field],
    );
    if (!isOurs) this.foreign++;
  }

  #read(entry: Uint8Array): RegistrarStatement | null {
    try {
      const { statement, signature } = decodeLogEntry(entry);
      if (!verify(null, statementSignedBytes(statement), this.#registrarKey, signature)) return null;
      return parseRegistrarStatement(statement);
    } catch {
      return null;
    }
  }
}
