import type { Endpoint } from 'comlink';

/** Comlink sends a call so; everything else that it can send reads, writes or constructs whatever a path leads to. */
type Call = { readonly type: 'APPLY'; readonly path: readonly [string]; readonly argumentList?: readonly unknown[] };

/** Calls of the vault take one object, or the page's listener. */
const maximumArguments = 1;

/**
 * Lets calls of these functions through to whoever listens, and nothing else that Comlink understands: no reading, no writing, no
 * constructing, no path of two steps. A script that runs in the page can then do what the page can, and reaches no key in here.
 *
 * @param names - The own functions of what is exposed. They are given data: an object that answers from the page, with another
 *   value each time it is looked at, passes no check.
 * @param listening - The functions that take the page's listener.
 */
export function onlyCalls(endpoint: Endpoint, names: ReadonlySet<string>, listening: ReadonlySet<string>): Endpoint {
  const gates = new Map<unknown, (event: Event) => void>();
  return {
    postMessage: (message: unknown, transfer?: Transferable[]) => endpoint.postMessage(message, transfer),
    addEventListener: (type, listener) => {
      const gate = (event: Event) => {
        if (!isCall((event as MessageEvent<unknown>).data, names, listening)) return;
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

function isCall(message: unknown, names: ReadonlySet<string>, listening: ReadonlySet<string>): message is Call {
  if (!isRecord(message)) return false;
  const { type, path, argumentList = [] } = message;
  if (type !== 'APPLY' || !Array.isArray(path) || path.length !== 1) return false;
  const name: unknown = path[0];
  if (typeof name !== 'string' || !names.has(name)) return false;
  if (!Array.isArray(argumentList) || argumentList.length > maximumArguments) return false;
  return argumentList.every((argument) => isData(argument) || (listening.has(name) && isListener(argument)));
}

function isData(argument: unknown): boolean {
  return isRecord(argument) && argument['type'] === 'RAW';
}

function isListener(argument: unknown): boolean {
  return isRecord(argument) && argument['type'] === 'HANDLER' && argument['name'] === 'proxy';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
