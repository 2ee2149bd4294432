import type { Clock } from './clock.ts';
import type { Network } from './network.ts';
import type { TabLocks } from './vault-lock.ts';

/** A broadcast to the other tabs of this browser profile. */
export type RawChannel = {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
};

/** Everything that the vault takes from its surroundings, so that a device can also stand in a test. */
export type VaultParts = {
  readonly fetch: typeof fetch;
  /** Of the relay; empty in the browser. */
  readonly origin: string;
  readonly storage: { readonly indexedDB: IDBFactory; readonly IDBKeyRange: typeof IDBKeyRange };
  readonly locks: TabLocks;
  readonly openChannel: () => RawChannel;
  readonly network: Network;
  readonly clock: Clock;
  /** 0 to 1, for jitter only. */
  readonly random: () => number;
  /** What the enclave is judged by; checked where it is used. */
  readonly policy: unknown;
  /** The keys are gone, and with them this vault: whoever made it ends its thread. */
  readonly onEnd: () => void;
};
