import { equalBytes } from '../../crypto/protocol/bytes/bytes.ts';
import { RelayClient } from './relay/relay-client.ts';
import { afterRenewal } from './relay/tokens/session-keeper.ts';
import { AccessTokens } from './relay/tokens/token-refresh.ts';
import { CiphertextCache } from './store/ciphertext-cache.ts';
import { ConnectionState } from './relay/connection/connection-state.ts';
import type { SignedIn } from './session/keys/key-material.ts';
import { openCache } from './store/open-cache.ts';
import type { OpenedVault } from './opened-vault.ts';
import type { FactorDependencies } from './session/factors/factor.ts';
import type { OwnProof, SignInGiven, UnlockGiven } from './session/factors/factors.ts';
import { RecentPhrase } from './session/keys/recent-phrase.ts';
import { compareRemembered, rememberedOf } from './store/remembered-head.ts';
import { type AccountSession, unwrapSession, wipeSessionKeys, wrapSession } from './session/keys/session-key.ts';
import type { PreparedSignUp } from './session/sign-up.ts';
import { TabChannel, type TabMessage } from './store/tab-channel.ts';
import type { SessionStatus } from './session/session-views.ts';
import type { VaultEvent } from './api/vault-api.ts';
import { toVaultError, VaultError } from './failures/vault-error.ts';
import type { VaultDependencies } from './vault-dependencies.ts';

/**
 * The vault of one tab. The code for signing in and for an open vault is loaded when it is needed: a visitor of the home
 * page gets none of it.
 */
export class Vault {
  readonly connection: ConnectionState;
  readonly #dependencies: VaultDependencies;
  readonly #cache: CiphertextCache;
  readonly #channel: TabChannel;
  readonly #tokens: AccessTokens;
  readonly #client: RelayClient;
  readonly #recentPhrase: RecentPhrase;
  #emit: (event: VaultEvent) => void = () => undefined;
  #status: SessionStatus = 'starting';
  #opened: OpenedVault | null = null;
  #prepared: PreparedSignUp | null = null;
  #needsNewPassword = false;
  #isEnding = false;
  #isEnded = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(dependencies: VaultDependencies) {
    this.#dependencies = dependencies;
    this.connection = new ConnectionState(dependencies, (status) => {
      if (!this.#isEnded) this.#emit({ type: 'connection', status });
    });
    this.#cache = new CiphertextCache(dependencies.cache);
    this.#channel = new TabChannel(dependencies.openChannel());
    this.#tokens = new AccessTokens(this.connection.relay, dependencies.keeper);
    this.#client = new RelayClient(this.connection.relay, this.#tokens, () => void this.#end('session-ended'));
    this.#recentPhrase = new RecentPhrase(dependencies.clock);
    this.#channel.listen((message) => this.#hear(message));
  }

  /** One change of the session after another. */
  serially<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async start(onEvent: (event: VaultEvent) => void): Promise<void> {
    this.#emit = onEvent;
    try {
      await openCache(this.#cache, this.#dependencies.clock, (by) => this.#emit({ type: 'held-up', by }));
      await this.#resumeSession();
    } catch (error) {
      // Without a session event the page would wait for ever. A password or a sign-in is a way out of most of it.
      this.#setStatus((await this.#hasSession()) ? 'locked' : 'signed-out');
      this.#emit({ type: 'alarm', code: toVaultError(error).code });
      return;
    }
    // The last sign-out did not reach the relay: without this its cookie would live on.
    if (this.#status === 'signed-out' && (await this.#cache.readSignOutMark())) {
      void this.#tellSignOut().catch(() => undefined);
    }
  }

  async beginSignUp(input: { userName: string; password: string }): Promise<{ recoveryWords: readonly string[] }> {
    this.#requireOutside();
    // Nobody writes down words for an account that this browser could not keep.
    await this.#cache.open();
    const { prepareSignUp } = await import('./session/sign-up.ts');
    this.#prepared = await prepareSignUp(this.#client, input);
    return { recoveryWords: this.#prepared.words };
  }

  async finishSignUp(): Promise<void> {
    this.#requireOutside();
    if (this.#prepared === null) throw new VaultError('sign-up-lapsed');
    const { finishSignUp } = await import('./session/sign-up.ts');
    const prepared = this.#prepared;
    await this.#enter(() => finishSignUp(this.#client, prepared));
    this.#prepared = null;
  }

  cancelSignUp(): void {
    if (this.#prepared !== null && this.#opened === null) wipeSessionKeys(this.#prepared.account);
    this.#prepared = null;
  }

  async signIn(given: SignInGiven): Promise<void> {
    this.#requireOutside();
    const { signIn } = await import('./session/sign-in.ts');
    try {
      await this.#enter(() => signIn(this.#forFactors, given));
    } catch (error) {
      this.#recentPhrase.wipe();
      throw error;
    }
  }

  async unlock(given: UnlockGiven): Promise<void> {
    this.#requireOutside();
    const { unlock } = await import('./session/sign-in.ts');
    await this.#enter(() => unlock(this.#forFactors, given), true);
  }

  async changePassword(newPassword: string, proof: OwnProof): Promise<void> {
    const { store, writer, account } = this.opened;
    const { changePassword } = await import('./session/password-change.ts');
    const dependencies = { ...this.#forFactors, locks: this.#dependencies.locks, store, writer, account };
    await changePassword(dependencies, newPassword, proof);
    this.#recentPhrase.wipe();
    await this.#keepSession({ ...account, needsNewPassword: false });
    this.#setStatus('unlocked');
  }

  lock(): Promise<void> {
    return this.#end('locked');
  }

  signOut(): Promise<void> {
    return this.#end('signed-out');
  }

  /** @throws {VaultError} `session-ended` while no vault is open. */
  get opened(): OpenedVault {
    if (this.#opened === null || this.#isEnding || this.#isEnded) throw new VaultError('session-ended');
    return this.#opened;
  }

  get #forFactors(): FactorDependencies {
    return { client: this.#client, recentPhrase: this.#recentPhrase };
  }

  #requireOutside(): void {
    if (this.#opened !== null || this.#isEnded) throw new VaultError('already-open');
  }

  async #hasSession(): Promise<boolean> {
    return (await this.#cache.readSession().catch(() => null)) !== null;
  }

  /** A session that this browser still holds the key of opens by itself. */
  async #resumeSession(): Promise<void> {
    const wrapped = await this.#cache.readSession();
    if (wrapped === null) return this.#setStatus('signed-out');
    const account = await unwrapSession(wrapped);
    if (account === null) return this.#setStatus('locked');
    this.#needsNewPassword = account.needsNewPassword;
    // Without the cache there is no head to start from: the password brings one.
    if (!(await this.#open(account))) this.#setStatus('locked');
  }

  async #enter(signIn: () => Promise<SignedIn>, isUnlock = false): Promise<void> {
    // Read before the relay answers: another tab may go on meanwhile.
    const before = await this.#cache.readMark();
    const { session, account, head } = await signIn();
    const { cacheOwner } = await import('./store/vault-store.ts');
    const { prepareCache } = await import('./store/prepare-cache.ts');
    const owner = cacheOwner(account.keyring.accountId);
    const isOther = before !== null && !equalBytes(before.owner, owner);
    const known = before === null || isOther ? await this.#cache.readRemembered(owner) : rememberedOf(before);
    const alarm = known === null ? null : compareRemembered(known, head.cached);
    if (isUnlock && (alarm !== null || isOther)) throw new VaultError(alarm ?? 'vault-tampered');
    this.#tokens.take(session);
    const isDamaged = await prepareCache(this.#cache, owner, account.keyring, head.cached);
    await this.#cache.writeSignOutMark(false);
    await this.#keepSession(account);
    await this.#open(account);
    this.#channel.post({ type: 'opened' });
    // Not refused: after a restored backup nobody could get in to sign out here. The remembered head stays.
    const code = alarm ?? (isDamaged ? 'cache-damaged' : null);
    if (code !== null) this.#emit({ type: 'alarm', code });
  }

  async #keepSession(account: AccountSession): Promise<void> {
    const wrapped = await wrapSession(account);
    // A sign-out that came meanwhile has the last word.
    if (this.#isEnding || this.#isEnded) throw new VaultError('session-ended');
    this.#needsNewPassword = account.needsNewPassword;
    await this.#cache.writeSession(wrapped);
  }

  async #open(account: AccountSession): Promise<boolean> {
    const [{ OpenedVault }, { aeadReady }] = await Promise.all([
      import('./opened-vault.ts'),
      import('../../crypto/primitives/aead.ts'),
    ]);
    await aeadReady();
    const opened = new OpenedVault({
      surroundings: { ...this.#dependencies, network: this.connection.network, watch: this.connection.watch },
      cache: this.#cache,
      channel: this.#channel,
      client: this.#client,
      account,
      emit: (event) => {
        if (this.#isEnded) return;
        if (event.type === 'connection') this.connection.live(event.status);
        else this.#emit(event);
      },
    });
    if (!(await opened.load())) {
      opened.end();
      return false;
    }
    this.#opened = opened;
    this.#setStatus('unlocked');
    opened.begin();
    return true;
  }

  #hear(message: TabMessage): void {
    if (message.type === 'opened' && (this.#status === 'locked' || this.#status === 'signed-out')) {
      void this.serially(async () => {
        if (this.#opened === null && !this.#isEnded) await this.#resumeSession();
      });
    }
    if (message.type !== 'ended' || this.#isEnded) return;
    if (this.#opened === null) this.#setStatus(message.how);
    else this.#leave(message.how);
  }

  /** Keys go first, in every tab, and the network last: whatever storage and relay do, this browser is shut. */
  async #end(how: 'locked' | 'signed-out' | 'session-ended'): Promise<void> {
    if (this.#isEnded || this.#isEnding) return;
    this.#isEnding = true;
    const status = how === 'locked' ? 'locked' : 'signed-out';
    this.#opened?.end();
    try {
      await this.#wipe(how);
    } finally {
      this.#channel.post({ type: 'ended', how: status });
      if (this.#opened !== null) wipeSessionKeys(this.#opened.account);
      if (how === 'signed-out') await this.#tellSignOut().catch(() => undefined);
      this.#isEnding = false;
      if (this.#opened === null) this.#setStatus(status);
      else this.#leave(status);
    }
  }

  async #wipe(how: 'locked' | 'signed-out' | 'session-ended'): Promise<void> {
    if (how === 'locked') return this.#cache.wipeKey();
    if (how === 'session-ended') {
      await this.#cache.wipeSession();
      return this.#dependencies.keeper.forget();
    }
    await this.#cache.wipeVault();
    await this.#cache.writeSignOutMark(true);
  }

  async #tellSignOut(): Promise<void> {
    await afterRenewal(this.#dependencies.locks, this.#dependencies.clock);
    try {
      await this.#client.signOut();
    } catch (error) {
      if (toVaultError(error).code !== 'session-ended') throw error;
    }
    await this.#dependencies.keeper.forget();
    await this.#cache.writeSignOutMark(false);
  }

  #leave(status: SessionStatus): void {
    const opened = this.#opened;
    if (opened === null || this.#isEnded) return;
    opened.end();
    wipeSessionKeys(opened.account);
    this.#recentPhrase.wipe();
    this.#tokens.forget();
    this.#setStatus(status);
    this.#isEnded = true;
    this.connection.end();
    this.#channel.close();
    this.#cache.close();
    this.#dependencies.onEnd();
  }

  #setStatus(status: SessionStatus): void {
    this.#status = status;
    const needsNewPassword = status === 'unlocked' && this.#needsNewPassword;
    this.#emit({ type: 'session', status, needsNewPassword });
  }
}
