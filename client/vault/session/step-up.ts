import { finishLogin, startLogin } from '../../../crypto/account/opaque-client.ts';
import { deriveRecoverySigningKeys, type RecoverySigningKeys } from '../../../crypto/account/recovery-phrase.ts';
import { digestActBody } from '../../../crypto/sign-in/step-up.ts';
import type { StepUpAct, StepUpProof } from '../../../crypto/protocol/messages/account-messages.ts';
import { type Bytes, fromBase64Url, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../crypto/protocol/bytes/errors.ts';
import { RelayCallError } from '../relay/http/relay-call-error.ts';
import type { RelayClient } from '../relay/relay-client.ts';
import type { OwnProof } from './own-proof.ts';
import type { RecentPhrase } from './recent-phrase.ts';
import { readPhrase } from './sign-in.ts';
import { VaultError } from '../failures/vault-error.ts';

type Act = { readonly act: StepUpAct; readonly bodyDigest: Bytes };

/** Shows the relay anew that the account is the person's own, for one call at a time (SPEC.md §3.5). */
export class Prover {
  readonly #client: RelayClient;
  readonly #way: { readonly password: string } | { readonly keys: RecoverySigningKeys; readonly isOwn: boolean };

  /** @throws {VaultError} `wrong-password` for what can be none, `invalid-phrase`, `proof-needed` when the recent phrase is gone. */
  constructor(client: RelayClient, proof: OwnProof, recentPhrase: RecentPhrase) {
    this.#client = client;
    this.#way = openWay(proof, recentPhrase);
  }

  /**
   * @param body - The act's message without its `proof`.
   * @throws {VaultError} `wrong-password`; {RelayCallError} `too-many-requests`.
   */
  prove(act: StepUpAct, body: object): Promise<StepUpProof> {
    const asked = { act, bodyDigest: digestActBody(body) };
    return 'keys' in this.#way ? this.#sign(asked, this.#way.keys) : this.#logIn(asked, this.#way.password);
  }

  /** Wipes what was derived for it. */
  end(): void {
    if ('keys' in this.#way && this.#way.isOwn) this.#way.keys.wipe();
  }

  async #logIn({ act, bodyDigest }: Act, password: string): Promise<StepUpProof> {
    const started = beginLogin(password);
    const answer = await this.#client.startStepUp({
      format: 1,
      factor: 'password',
      act,
      bodyDigest: toBase64Url(bodyDigest),
      loginRequest: started.request,
    });
    if (answer.factor !== 'password') throw new RelayCallError('malformed-answer');
    const { loginResponse: response, stretching, stepUpId } = answer;
    const finished = finishLogin({ password, state: started.state, response, stretching });
    if (finished === null) throw new VaultError('wrong-password');
    finished.exportKey.wipe();
    return { factor: 'password', stepUpId, loginFinish: finished.finish };
  }

  async #sign({ act, bodyDigest }: Act, keys: RecoverySigningKeys): Promise<StepUpProof> {
    const answer = await this.#client.startStepUp({
      format: 1,
      factor: 'recovery',
      act,
      bodyDigest: toBase64Url(bodyDigest),
    });
    if (answer.factor !== 'recovery') throw new RelayCallError('malformed-answer');
    const signature = keys.signStepUp({ act, nonce: fromBase64Url(answer.nonce), bodyDigest });
    return { factor: 'recovery', stepUpId: answer.stepUpId, signature: toBase64Url(signature) };
  }
}

function openWay(proof: OwnProof, recentPhrase: RecentPhrase) {
  if (proof.by === 'password') {
    // Said before anything is asked of the relay.
    beginLogin(proof.password);
    return { password: proof.password };
  }
  if (proof.by === 'phrase') {
    const entropy = readPhrase(proof.words);
    const keys = deriveRecoverySigningKeys(entropy);
    entropy.wipe();
    return { keys, isOwn: true };
  }
  const { keys } = recentPhrase;
  if (keys === null) throw new VaultError('proof-needed');
  return { keys, isOwn: false };
}

/** A password that nobody can have is a wrong one. */
function beginLogin(password: string) {
  try {
    return startLogin(password);
  } catch (error) {
    throw error instanceof CryptoError ? new VaultError('wrong-password') : error;
  }
}
