import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { signPossession, type PossessionPurpose } from '../../../../crypto/evidence/modal/possession.ts';
import { generateIdentityKeyPair, type IdentityKeyPair } from '../../../../crypto/evidence/key-statement.ts';
import type { ModalPolicy } from '../../../../crypto/evidence/policy/policy.ts';
import type {
  RegistrarAnswer,
  RegistrarChallengeAnswer,
  RegistrarErrorCode,
} from '../../../../crypto/protocol/messages/registrar-messages.ts';
import { fromBase64Url, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { generateRegistrarKeys, parseRegistrarKeys } from '../../../../registrar/registrar-keys.ts';
import { findFreePort } from '../../network/free-port.ts';
import { waitFor } from '../../relay/running-sotto.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../machine/temporary-folder.ts';
import { modalIds, ModalIssuer } from './modal-identity.ts';

const projectFolder = resolve(import.meta.dirname, '../../../..');

export type RegistrarReply = {
  readonly status: number;
  readonly body: RegistrarAnswer & { error: RegistrarErrorCode };
};

/** The registrar as a process of its own, beside a double of Modal's issuer: real keys, real tokens, real statements. */
export class TestRegistrar implements AsyncDisposable {
  readonly issuer: ModalIssuer;
  readonly keys: string;
  readonly logOrigin = 'registrar.test/log-1';
  readonly #folder: TemporaryFolder;
  readonly #environment: Record<string, string>;
  #child: ChildProcess | null = null;
  #port = 0;
  #printed = '';

  private constructor(issuer: ModalIssuer, folder: TemporaryFolder, environment: Record<string, string>) {
    this.issuer = issuer;
    this.#folder = folder;
    this.#environment = environment;
    this.keys = generateRegistrarKeys();
  }

  /** @param environment - Settings beside the usual ones, or in their place. */
  static async start(environment: Record<string, string> = {}): Promise<TestRegistrar> {
    const issuer = await ModalIssuer.start();
    const registrar = new TestRegistrar(issuer, await makeTemporaryFolder('registrar'), environment);
    registrar.#port = await findFreePort();
    await registrar.run();
    return registrar;
  }

  /** For the worker's REGISTRAR_URL. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get dataFolder(): string {
    return this.#folder.path;
  }

  /** All that it has printed so far. */
  get printed(): string {
    return this.#printed;
  }

  /** The `modal` section of a policy that accepts its statements. */
  get policySection(): ModalPolicy {
    const { statement, log } = parseRegistrarKeys(this.keys);
    return {
      registrarPublicKey: toBase64Url(statement.publicKey),
      logOrigin: this.logOrigin,
      logPublicKey: toBase64Url(log.publicKey),
      ...modalIds,
    };
  }

  /** Its settings, with which a second one on the same data can be tried. */
  get environment(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      REGISTRAR_KEYS: this.keys,
      REGISTRAR_PORT: String(this.#port),
      REGISTRAR_DATA_DIR: this.#folder.path,
      REGISTRAR_LOG_ORIGIN: this.logOrigin,
      REGISTRAR_TEST_ISSUER: this.issuer.url,
      MODAL_WORKSPACE_ID: modalIds.workspaceId,
      MODAL_ENVIRONMENT_ID: modalIds.environmentId,
      MODAL_APP_ID: modalIds.appId,
      MODAL_FUNCTION_ID: modalIds.functionId,
      ...this.#environment,
    };
  }

  /** Starts it (again), on the same data and port. */
  async run(changes: Record<string, string> = {}): Promise<void> {
    const child = spawn(process.execPath, ['registrar/main.ts'], {
      cwd: projectFolder,
      env: { ...this.environment, ...changes },
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#printed += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#printed += text));
    const isUp = () => {
      if (child.exitCode !== null) throw new Error(`The registrar did not start:\n${this.#printed}`);
      return fetch(`${this.url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    };
    await waitFor(isUp, 120_000, () => `the registrar did not start:\n${this.#printed}`);
  }

  /** kill -9 */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Lets nothing of it run until `thaw`: what is sent meanwhile arrives at one moment. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    await this.issuer.stop();
    await this.#folder.remove();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async challenge(): Promise<Uint8Array> {
    const { body } = await this.post('/v1/challenge', { format: 1 });
    return fromBase64Url((body as unknown as RegistrarChallengeAnswer).challenge);
  }

  /** Does what a worker does with a token. */
  async register(
    identity: IdentityKeyPair = generateIdentityKeyPair(),
    identityToken: string = this.issuer.makeToken(),
  ): Promise<RegistrarReply> {
    const proof = await this.prove(identity, { kind: 'register', identityToken });
    return this.post('/v1/register', { format: 1, identityToken, ...proof });
  }

  async renew(identity: IdentityKeyPair): Promise<RegistrarReply> {
    return this.post('/v1/renew', { format: 1, ...(await this.prove(identity, { kind: 'renew' })) });
  }

  async prove(identity: IdentityKeyPair, purpose: PossessionPurpose) {
    const challenge = await this.challenge();
    const signature = signPossession({ identitySecretKey: identity.secretKey, challenge, purpose });
    return {
      identityPublicKey: toBase64Url(identity.publicKey),
      challenge: toBase64Url(challenge),
      signature: toBase64Url(signature),
    };
  }

  async post(path: string, body: unknown): Promise<RegistrarReply> {
    const answer = await fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as RegistrarReply['body'] };
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}
