import type { RawChannel } from '../vault/surroundings/surroundings.ts';

/** A channel between the tabs of this browser profile. */
export function openBroadcast(name: string): RawChannel {
  const channel = new BroadcastChannel(name);
  return {
    post: (message) => channel.postMessage(message),
    hear: (run) => {
      channel.onmessage = (event: MessageEvent<unknown>) => run(event.data);
    },
    close: () => channel.close(),
  };
}
