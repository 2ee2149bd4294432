import { BroadcastChannel } from 'node:worker_threads';
import type { RawChannel } from '../vault/surroundings/surroundings.ts';
import type { TabLocks } from '../vault/surroundings/vault-lock.ts';

/** Locks among all vaults of this process that share a device, in whatever thread. Another process is kept out by its folder. */
export function deviceLocks(device: string): TabLocks {
  return {
    request: (name, options, run) => navigator.locks.request(`${device} ${name}`, options, run),
  };
}

/** The channel among them; it keeps no process alive. */
export function openDeviceChannel(device: string): RawChannel {
  const channel = new BroadcastChannel(`${device} sotto-vault`);
  channel.unref();
  return {
    post: (message) => channel.postMessage(message),
    hear: (run) => {
      channel.onmessage = (event: unknown) => run((event as { data: unknown }).data);
    },
    close: () => channel.close(),
  };
}
