import type { Clock } from './clock.ts';
import type { Network } from './network.ts';
import type { TabLocks } from './vault-lock.ts';

/** A broadcast to the other tabs of this device; a tab does not hear itself. */
export type RawChannel = {
  post(message: unknown): void;
  /** @param run - The one listener; another call replaces it. */
  hear(run: (message: unknown) => void): void;
  close(): void;
};

/** The vault takes these from where it runs. */
export type Surroundings = {
  readonly fetch: typeof fetch;
  /** The relay's origin; empty in the browser. */
  readonly origin: string;
  readonly locks: TabLocks;
  readonly openChannel: () => RawChannel;
  readonly network: Network;
  readonly clock: Clock;
  /** 0 to 1, for jitter only. */
  readonly random: () => number;
  /** The policy that judges the enclave; checked where it is used. */
  readonly policy: unknown;
  /** The keys are gone, and with them this vault: whoever made it ends its thread. */
  readonly onEnd: () => void;
};
