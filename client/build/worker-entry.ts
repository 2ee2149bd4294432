import type { ModuleLinks } from './bundle-graph.ts';

const entryName = /^assets\/vault-worker-[^/]+\.js$/;

/**
 * Refuses a build in which a script imports the entry of the vault's Worker, at once or later on.
 *
 * WebKit knows the script that started a Worker by no address: an import of it evaluates it a second time. Two vaults
 * would then answer each call.
 *
 * @throws {Error} naming the scripts, or saying that the build has not exactly one such entry.
 */
export function checkWorkerEntry(graph: Record<string, ModuleLinks>): void {
  const entries = Object.keys(graph).filter((name) => entryName.test(name));
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) {
    throw new Error(`The build has ${entries.length} scripts that start the vault's Worker, and needs exactly one.`);
  }
  const importers = Object.entries(graph)
    .filter(([, { imports, dynamicImports }]) => [...imports, ...dynamicImports].includes(entry))
    .map(([name]) => name);
  if (importers.length > 0) {
    throw new Error(
      `WebKit would start the vault twice: ${importers.join(', ')} import ${entry}. Keep shared code out of the entry (codeSplitting in client/vite.config.ts).`,
    );
  }
}
