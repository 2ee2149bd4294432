import { describe, expect, test } from 'vitest';
import { bundleModules, findSealingModules } from './bundle-modules.ts';

test('the relay, bundled, holds no code that opens or seals', async () => {
  const modules = await bundleModules('server/main.ts');
  expect(modules).toContain('server/main.ts');
  expect(findSealingModules(modules)).toEqual([]);
});

test('the worker, bundled, does: the test can see it', async () => {
  const found = findSealingModules(await bundleModules('enclave-worker/keys/key-thread.ts'));
  expect(found).toContain('crypto/turn/sealed-request.ts');
});

describe('findSealingModules', () => {
  const bundle = async (main: string) => {
    const files = {
      'server/main.ts': main,
      'server/turns/start.ts': `import { openItem } from '../../crypto/vault/item.ts'; console.log(openItem());`,
      'crypto/vault/item.ts': 'export const openItem = (): number => Math.random();',
      'crypto/protocol/merkle-tree.ts': 'export const rootOf = (): number => Math.random();',
      'crypto/protocol/messages/turn-messages.ts': 'export const turn = (): number => Math.random();',
      'node_modules/libsodium-wrappers/main.js': 'export const sodium = () => Math.random();',
    };
    return findSealingModules(await bundleModules('server/main.ts', new Map(Object.entries(files))));
  };

  test.each([
    ['opens through another module', `import './turns/start.ts'`, 'crypto/vault/item.ts'],
    [
      'opens in code loaded later',
      `const { openItem } = await import('../crypto/vault/item.ts'); console.log(openItem());`,
      'crypto/vault/item.ts',
    ],
    [
      'brings libsodium',
      `import { sodium } from '../node_modules/libsodium-wrappers/main.js'; console.log(sodium());`,
      'node_modules/libsodium-wrappers/main.js',
    ],
  ])('names the module when the relay %s', async (_name, main, leak) => {
    expect(await bundle(main)).toEqual([leak]);
  });

  test.each([
    ['hashes ciphertext', `import { rootOf } from '../crypto/protocol/merkle-tree.ts'; console.log(rootOf());`],
    ['parses messages', `import { turn } from '../crypto/protocol/messages/turn-messages.ts'; console.log(turn());`],
    ['imports a type only', `import type { A } from '../crypto/vault/item.ts'; export const a: A | null = null;`],
  ])('is silent when the relay %s', async (_name, main) => {
    expect(await bundle(main)).toEqual([]);
  });
});
