import type { FailureCode, VaultApi, VaultFace } from './vault-api.ts';

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

/** The vault itself answers these names; every other name is a command of a feature. */
const faceNames: Readonly<Record<keyof VaultFace, true>> = {
  start: true,
  noteNetwork: true,
  beginSignUp: true,
  finishSignUp: true,
  cancelSignUp: true,
  signIn: true,
  unlock: true,
  changePassword: true,
  lock: true,
  signOut: true,
  run: true,
};

/** Gives each command of the features its own name beside what the vault itself answers to. */
export function withCommands(face: VaultFace): VaultApi {
  const own = face as unknown as Readonly<Record<string, (...input: unknown[]) => unknown>>;
  return new Proxy(face as VaultApi, {
    get: (_target, name) => {
      // `then`: it is asked whether it is a promise.
      if (typeof name !== 'string' || name === 'then') return undefined;
      if (Object.hasOwn(faceNames, name)) return (...input: unknown[]) => own[name]?.(...input);
      return (input: never) => face.run({ command: name as never, input });
    },
  });
}
