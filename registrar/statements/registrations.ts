import type { ModalContainer } from '../identity/identity-token.ts';
import { toleranceMs } from '../identity/identity-token.ts';
import { RegistrarError } from '../registrar-error.ts';
import type { RegistrarDatabase } from '../storage/registrar-database.ts';

/** A registered identity key and the container that it was born in. */
export type Registration = Pick<
  ModalContainer,
  'workspaceId' | 'environmentId' | 'appId' | 'functionId' | 'containerId'
> & { readonly renewableUntilMs: number };

/** So long after its end a registration is answered with "over" and not with "unknown". */
const rememberMs = 86_400_000;

/**
 * Which token, and so which container, registered which identity key: one. It keeps only a hash of a token, until the token
 * itself has expired.
 */
export class Registrations {
  readonly #database: RegistrarDatabase;

  constructor(database: RegistrarDatabase) {
    this.#database = database;
  }

  /** Inside a transaction of the caller. @throws {RegistrarError} `token-used`, `identity-known`. */
  add(identityPublicKey: Uint8Array, container: ModalContainer, nowMs: number): Registration {
    this.#forget(nowMs);
    if (this.#database.get('select 1 from used_token where hash = ?', container.tokenHash) !== undefined) {
      throw new RegistrarError('token-used');
    }
    if (this.find(identityPublicKey) !== null) throw new RegistrarError('identity-known');
    // Modal renews tokens, and whatever runs beside the worker may find the new one: it makes no second enclave.
    if (this.#database.get('select 1 from registration where container_id = ?', container.containerId) !== undefined) {
      throw new RegistrarError('token-used');
    }
    this.#database.run(
      'insert into used_token (hash, forget_after_ms) values (?, ?)',
      container.tokenHash,
      Math.ceil(container.tokenExpiresAtMs + 2 * toleranceMs),
    );
    const { workspaceId, environmentId, appId, functionId, containerId, endsAtMs } = container;
    this.#database.run(
      'insert into registration values (?, ?, ?, ?, ?, ?, ?)',
      identityPublicKey,
      workspaceId,
      environmentId,
      appId,
      functionId,
      containerId,
      endsAtMs,
    );
    return { workspaceId, environmentId, appId, functionId, containerId, renewableUntilMs: endsAtMs };
  }

  find(identityPublicKey: Uint8Array): Registration | null {
    const row = this.#database.get('select * from registration where identity_public_key = ?', identityPublicKey);
    if (row === undefined) return null;
    return {
      workspaceId: String(row['workspace_id']),
      environmentId: String(row['environment_id']),
      appId: String(row['app_id']),
      functionId: String(row['function_id']),
      containerId: String(row['container_id']),
      renewableUntilMs: Number(row['renewable_until_ms']),
    };
  }

  #forget(nowMs: number): void {
    this.#database.run('delete from used_token where forget_after_ms < ?', nowMs);
    this.#database.run('delete from registration where renewable_until_ms < ?', nowMs - rememberMs);
  }
}
