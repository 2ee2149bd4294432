import { describe, expect, test } from 'vitest';
import { type BrowserScope, findLack } from '../../../client/worker/browser-needs.ts';

const whole: BrowserScope = {
  isSecureContext: true,
  crypto: { subtle: {} },
  WebAssembly,
  indexedDB: {} as IDBFactory,
  navigator: { locks: {} as LockManager },
  BroadcastChannel,
};

/** A browser in which looking at one of these throws, as Firefox does where site data are blocked. */
function throwing(name: keyof BrowserScope): BrowserScope {
  const get = () => {
    throw new DOMException('The operation is insecure.', 'SecurityError');
  };
  return Object.defineProperty({ ...whole }, name, { get });
}

describe('findLack', () => {
  test('a browser that has everything lacks nothing', () => {
    expect(findLack(whole)).toBeNull();
  });

  test.each([
    ['a page without protection', 'page-insecure', { ...whole, isSecureContext: false, crypto: {}, navigator: {} }],
    ['no cryptography', 'page-insecure', { ...whole, crypto: {} }],
    ['no WebAssembly', 'webassembly-off', { ...whole, WebAssembly: undefined }],
    ['WebAssembly that compiles nothing', 'webassembly-off', { ...whole, WebAssembly: { Module: refusingModule() } }],
    ['no IndexedDB', 'storage-unavailable', { ...whole, indexedDB: undefined }],
    ['IndexedDB that is null', 'storage-unavailable', { ...whole, indexedDB: null }],
    ['IndexedDB that throws', 'storage-unavailable', throwing('indexedDB')],
    ['no Web Locks', 'locks-missing', { ...whole, navigator: {} }],
    ['no BroadcastChannel', 'channel-missing', { ...whole, BroadcastChannel: undefined }],
    ['a BroadcastChannel that is refused', 'storage-unavailable', { ...whole, BroadcastChannel: refusingChannel() }],
  ] as const)('%s: %s', (_lack, code, scope) => {
    expect(findLack(scope)).toBe(code);
  });
});

/** Acts like a policy without `wasm-unsafe-eval`. */
function refusingModule(): typeof WebAssembly.Module {
  return class extends WebAssembly.Module {
    constructor(bytes: BufferSource) {
      super(bytes);
      throw new WebAssembly.CompileError('refused');
    }
  };
}

function refusingChannel(): typeof BroadcastChannel {
  return class extends BroadcastChannel {
    constructor(name: string) {
      super(name);
      this.close();
      throw new DOMException('The operation is insecure.', 'SecurityError');
    }
  };
}
