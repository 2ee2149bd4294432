import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { VaultError } from '../vault/failures/vault-error.ts';
import type { Clock } from '../vault/surroundings/clock.ts';
import type { VaultDependencies } from '../vault/vault-dependencies.ts';
import { deviceLocks, openDeviceChannel } from './device-locks.ts';
import { DeviceSession } from './device-session.ts';
import { SqliteCache } from './sqlite-cache.ts';
import { TokenFile } from './token-file.ts';

const clock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * A device of Node: a folder that belongs to this process, in which any number of its vaults stand as tabs do in a browser.
 *
 * Locks and channel reach no other process, so a second one is refused; the system lets go of the folder even after a crash.
 */
export class DeviceFolder {
  readonly #path: string;
  readonly #held: DatabaseSync;

  /** @throws {VaultError} `storage-unavailable` when another process has it, or when others may write into it. */
  constructor(path: string) {
    this.#path = resolve(path);
    try {
      mkdirSync(this.#path, { recursive: true, mode: 0o700 });
      requireOwn(this.#path);
      this.#held = hold(join(this.#path, 'lock.sqlite'));
    } catch {
      throw new VaultError('storage-unavailable');
    }
  }

  /** One vault on this device takes these from outside. */
  dependencies(where: Pick<VaultDependencies, 'origin' | 'policy' | 'onEnd'>): VaultDependencies {
    const locks = deviceLocks(this.#path);
    const keeper = new DeviceSession(where.origin, new TokenFile(join(this.#path, 'session.json')), locks);
    return {
      ...where,
      cache: new SqliteCache(join(this.#path, 'vault.sqlite')),
      keeper,
      fetch: keeper.fetch,
      locks,
      openChannel: () => openDeviceChannel(this.#path),
      // Node hears nothing of networks that come and go; calls that fail say enough.
      network: { isOnline: () => true, onChange: () => () => undefined },
      clock,
      random: () => Math.random(),
    };
  }

  /** After all of its vaults have ended. */
  release(): void {
    this.#held.close();
  }
}

/** Somebody else could put an older vault or another session in place of this one. Windows has no such modes. */
function requireOwn(path: string): void {
  const { mode, uid } = statSync(path);
  const isShared = (mode & 0o022) !== 0 || uid !== process.getuid?.();
  if (process.platform !== 'win32' && isShared) throw new VaultError('storage-unavailable');
}

function hold(path: string): DatabaseSync {
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    chmodSync(path, 0o600);
    file.exec('begin exclusive');
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}
