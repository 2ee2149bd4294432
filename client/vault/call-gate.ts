import type { Endpoint } from 'comlink';

/** As Comlink sends a call; everything else that it can send reads, writes or constructs whatever a path leads to. */
type Call = { readonly type: 'APPLY'; readonly path: readonly [string]; readonly argumentList?: readonly unknown[] };

/** Calls of the vault take one object, or the page's listener. */
const maximumArguments = 1;

/**
 * Lets calls of these functions through to whoever listens, and nothing else that Comlink understands: no reading, no writing, no
 * constructing, no path of two steps. A script that runs in the page can then do what the page can, and reaches no key.
 *
 * @param names - The own functions of what is exposed.
 */
export function onlyCalls(endpoint: Endpoint, names: ReadonlySet<string>): Endpoint {
  const gates = new Map<unknown, (event: Event) => void>();
  return {
    postMessage: (message: unknown, transfer?: Transferable[]) => endpoint.postMessage(message, transfer),
    addEventListener: (type, listener) => {
      const gate = (event: Event) => {
        if (!isCall((event as MessageEvent<unknown>).data, names)) return;
        if (typeof listener === 'function') listener(event);
        else listener.handleEvent(event);
      };
      gates.set(listener, gate);
      endpoint.addEventListener(type, gate);
    },
    removeEventListener: (type, listener) => {
      const gate = gates.get(listener);
      gates.delete(listener);
      if (gate !== undefined) endpoint.removeEventListener(type, gate);
    },
  };
}

function isCall(message: unknown, names: ReadonlySet<string>): message is Call {
  if (typeof message !== 'object' || message === null) return false;
  const { type, path, argumentList = [] } = message as Record<string, unknown>;
  const isOwnName = Array.isArray(path) && path.length === 1 && typeof path[0] === 'string' && names.has(path[0]);
  return type === 'APPLY' && isOwnName && Array.isArray(argumentList) && argumentList.length <= maximumArguments;
}
