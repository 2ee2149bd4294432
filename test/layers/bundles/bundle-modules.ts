import { posix } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';
import { harmlessCrypto, sealingPackages } from '../house-rules.ts';
import { projectRoot, type SourceFiles } from '../source-files.ts';

/**
 * Bundles a Node program with everything that it imports and returns the modules whose code is in the result, as paths from the
 * project's root.
 *
 * @param entry - Path from the project's root.
 * @param virtualFiles - Instead of the files on disk: fixtures for the test of this test.
 */
export async function bundleModules(entry: string, virtualFiles?: SourceFiles): Promise<string[]> {
  const chunks = await bundle(entry, 'node', virtualFiles);
  return chunks.flatMap(({ moduleIds }) => moduleIds).map((id) => id.replace(`${projectRoot}/`, ''));
}

/** Bundles code of a browser with everything that it imports, and returns what the result still asks its surroundings for. */
export async function importsOfBundle(entry: string, virtualFiles?: SourceFiles): Promise<string[]> {
  const chunks = await bundle(entry, 'browser', virtualFiles);
  const own = new Set(chunks.map(({ fileName }) => fileName));
  return chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports].filter((id) => !own.has(id)));
}

async function bundle(entry: string, platform: 'node' | 'browser', virtualFiles?: SourceFiles): Promise<OutputChunk[]> {
  const build = await rolldown({
    input: virtualFiles === undefined ? posix.join(projectRoot, entry) : entry,
    cwd: projectRoot,
    platform,
    // Loaded by pg only where it was installed by hand.
    external: ['pg-native', /^node:/],
    logLevel: 'silent',
    plugins: virtualFiles === undefined ? [] : [fixture(virtualFiles)],
  });
  const { output } = await build.generate({ format: 'esm' });
  await build.close();
  return output.filter((part) => part.type === 'chunk');
}

/** Modules that open or seal, or may come to: packages that do, and everything of crypto/ that is not known to be harmless. */
export function findSealingModules(modules: readonly string[]): string[] {
  return modules.filter((module) => {
    const packagePath = /(?:^|.*\/)node_modules\/(.*)$/.exec(module)?.[1];
    if (packagePath !== undefined) return sealingPackages.test(packagePath);
    return module.startsWith('crypto/') && !harmlessCrypto.test(module);
  });
}

function fixture(files: SourceFiles) {
  return {
    name: 'fixture',
    resolveId(specifier: string, importer: string | undefined) {
      if (importer === undefined || !specifier.startsWith('.')) return specifier;
      return posix.join(posix.dirname(importer), specifier);
    },
    load: (id: string) => (files.has(id) ? { code: files.get(id) ?? '', moduleType: 'ts' as const } : null),
  };
}
