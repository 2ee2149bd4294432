import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { listen, type Listening } from '../../../../server/connections/listener.ts';
import { RateLimiter } from '../../../../server/api/guards/rate-limit.ts';
import type { Log } from '../../../../process/event-log.ts';
import { openRelay, type Relay } from '../../../../server/relay.ts';
import { readSettings } from '../../../../server/settings.ts';
import { BrowserProfile, type ProfileOptions } from './browser-profile.ts';
import { watchDeclaredCodes } from '../../relay/in-process/declared-codes-log.ts';
import { findFreePort } from '../../network/free-port.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../machine/temporary-folder.ts';
import { startUpstream, type Upstream } from '../../worker/upstream/upstream.ts';
import { waitFor } from '../../relay/running-sotto.ts';
import { inventPerson, type Person, type SignedUpPerson } from '../person.ts';
import type { VaultTab } from './vault-tab.ts';

const projectFolder = resolve(import.meta.dirname, '../../../..');
const silent: Log = { error() {}, warn() {}, info() {}, debug() {} };
const token = randomBytes(32).toString('hex');

/** A person types this to change the password that they have. */
export function proofOf({ password }: Pick<Person, 'password'>) {
  return { by: 'password', password } as const;
}

/**
 * A real relay in this process, on a real port and over SQLite; a real worker beside it, which asks a scriptable model
 * server; and as many browser profiles as a test wants.
 */
export class DeviceLab implements AsyncDisposable {
  readonly upstream: Upstream;
  readonly #folder: TemporaryFolder;
  readonly #port: number;
  readonly #workerPort: number;
  readonly #profiles: BrowserProfile[] = [];
  readonly #watched = watchDeclaredCodes(silent);
  #relay: { relay: Relay; listening: Listening } | null = null;
  #worker: ChildProcess | null = null;

  private constructor(dependencies: { upstream: Upstream; folder: TemporaryFolder; port: number; workerPort: number }) {
    this.upstream = dependencies.upstream;
    this.#folder = dependencies.folder;
    this.#port = dependencies.port;
    this.#workerPort = dependencies.workerPort;
  }

  /** @param options.worker - false for tests that take no turns: a worker is a second process. */
  static async open(options: { readonly worker?: boolean } = {}): Promise<DeviceLab> {
    const withWorker = options.worker ?? true;
    const lab = new DeviceLab({
      upstream: await startUpstream(['test-model']),
      folder: await makeTemporaryFolder('device-lab'),
      port: await findFreePort(),
      workerPort: withWorker ? await findFreePort() : 9,
    });
    if (withWorker) await lab.startWorker();
    await lab.startRelay();
    return lab;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Where the relay keeps its database. */
  get dataFolder(): string {
    return this.#folder.path;
  }

  async startRelay(): Promise<void> {
    const settings = readSettings({
      PORT: String(this.#port),
      DATA_DIR: this.#folder.path,
      ENCLAVE_POOL: 'static',
      ENCLAVE_URLS: `http://127.0.0.1:${this.#workerPort}`,
      ENCLAVE_TOKEN: token,
    });
    const relay = await openRelay(settings, this.#watched.log, new RateLimiter({ scale: 1e6 }));
    const listening = await listen(relay.app, { ...settings, isHttps: false });
    this.#relay = { relay, listening };
  }

  async stopRelay(): Promise<void> {
    const running = this.#relay;
    this.#relay = null;
    if (running === null) return;
    const closed = running.listening.close(50);
    await running.relay.close();
    await closed;
    this.#watched.requireDeclared();
  }

  async startWorker(): Promise<void> {
    const worker = spawn(process.execPath, ['enclave-worker/main.ts'], {
      cwd: projectFolder,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        ENGINE: 'openai',
        LLM_BASE_URL: this.upstream.baseUrl,
        LLM_MODEL: 'test-model',
        DATA_DIR: this.#folder.path,
        WORKER_HOST: '127.0.0.1',
        WORKER_PORT: String(this.#workerPort),
        ENCLAVE_TOKEN: token,
        LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#worker = worker;
    let printed = '';
    for (const stream of [worker.stdout, worker.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
    }
    const status = () =>
      fetch(`http://127.0.0.1:${this.#workerPort}/status`, { headers: { authorization: `Bearer ${token}` } }).then(
        (response) => response.ok,
        () => false,
      );
    await waitFor(status, 120_000, () => `The worker does not answer:\n${printed}`);
  }

  /** With it go its keys: the next one is another enclave. */
  async killWorker(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    if (worker === null || worker.exitCode !== null) return;
    worker.kill('SIGKILL');
    await once(worker, 'exit');
  }

  profile(options: ProfileOptions = {}): BrowserProfile {
    const profile = new BrowserProfile(this.origin, options);
    this.#profiles.push(profile);
    return profile;
  }

  /** Creates an account in a tab of a new profile. */
  async signUp(profile = this.profile()): Promise<{ person: SignedUpPerson; profile: BrowserProfile; tab: VaultTab }> {
    const person = inventPerson();
    const tab = await profile.openTab();
    const { recoveryWords } = await tab.vault.beginSignUp(person);
    await tab.vault.finishSignUp();
    return { person: { ...person, recoveryWords }, profile, tab };
  }

  /** Another device of the same person. */
  async signIn(person: Person, profile = this.profile()): Promise<{ profile: BrowserProfile; tab: VaultTab }> {
    const tab = await profile.openTab();
    await tab.vault.signIn(person);
    return { profile, tab };
  }

  /** A new account that may ask: its enclave is verified. */
  async openChat(
    profile = this.profile(),
  ): Promise<{ person: SignedUpPerson; profile: BrowserProfile; tab: VaultTab }> {
    const signedUp = await this.signUp(profile);
    const { tab } = signedUp;
    await tab.vault.openConversation({ conversationId: null });
    await tab.until(() => tab.enclave.kind === 'verified');
    return signedUp;
  }

  /** From now on answers take long enough to do something in the middle: a delta every 300 ms. */
  speakSlowly(words = 12): void {
    this.upstream.answerWith({ tokens: Array.from({ length: words }, (_, n) => `word${n} `), delayMs: 300 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nobody asks any more before the relay goes: a page that is left does not say so either.
    for (const profile of this.#profiles) {
      profile.setOnline(false);
      for (const tab of profile.tabs) await tab.vault.lock().catch(() => undefined);
      profile.close();
    }
    await this.stopRelay();
    await this.killWorker();
    await this.upstream.stop();
    await this.#folder.remove();
  }
}
