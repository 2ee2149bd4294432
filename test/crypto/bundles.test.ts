import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleModules, findSealingModules } from '../layers/bundles/bundle-modules.ts';
import { projectRoot } from '../layers/source-files.ts';

describe('the bundle of a part of crypto/', () => {
  it('signing in needs OPAQUE, and neither libsodium nor anything that seals', async () => {
    const modules = await bundleModules('crypto/account/opaque-client.ts');
    expect(modules.some((module) => module.includes('@serenity-kit/opaque'))).toBe(true);
    expect(modules.filter((module) => /libsodium|aead|committed-seal|noble/.test(module))).toEqual([]);
  });

  const held = ['protocol', 'sign-in'].flatMap((folder) =>
    readdirSync(join(projectRoot, 'crypto', folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `${folder}/${file}`),
  );

  it.each(held)('%s, which the relay may hold, seals nothing', async (file) => {
    const modules = await bundleModules(`crypto/${file}`);
    expect(modules).toContain(`crypto/${file}`);
    expect(findSealingModules(modules)).toEqual([]);
    expect(modules.filter((module) => /sodium|aead|hkdf/.test(module))).toEqual([]);
  });

  it('an item does bring what seals, and that brings libsodium: the test can see it', async () => {
    expect(findSealingModules(await bundleModules('crypto/vault/item.ts'))).toContain('crypto/primitives/aead.ts');
    const modules = await bundleModules('crypto/primitives/aead.ts');
    expect(modules.some((module) => module.includes('libsodium'))).toBe(true);
  });
});
