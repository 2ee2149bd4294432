import type { FailureCode, VaultApi } from './vault-api.ts';

/**
 * Brings up the vault. `onBroken` may be called at any time, with the reason: it will not answer any more.
 *
 * @throws {StartFailure} where it cannot even be tried.
 */
export type OpenVault = (onBroken: (code: FailureCode) => void) => VaultApi;

/** Why there is no vault in this browser. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  readonly code: FailureCode;

  constructor(code: FailureCode) {
    super(code);
    this.code = code;
  }
}
