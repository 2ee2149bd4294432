import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as Vite from 'vite';
import { readBuildIdentity } from './build/build-identity.ts';
import { distFolder, readStamp, stampPath, type BuildStamp } from './build/build-stamp.ts';
import { compressFiles } from './build/compress.ts';
import { listFiles, removeOtherFiles } from './build/built-files.ts';
import { readBundleGraph } from './build/bundle-graph.ts';
import { withProgress } from './build/progress.ts';
import { loadEnvironmentFile } from '../process/environment-file.ts';
import { checkWorkerEntry } from './build/worker-entry.ts';

/**
 * Builds the client into client/dist: bundled, hashed file names, compressed beforehand. Does nothing when no input changed.
 *
 * @param say - Gets a line for each step, and one every two seconds of a long one.
 */
export async function buildClient(say: (line: string) => void): Promise<'built' | 'unchanged'> {
  const identity = readBuildIdentity();
  const previous = readStamp();
  if (previous?.build === identity.build && previous.version === identity.version) {
    say(`client: unchanged (${identity.version}, build ${identity.build})`);
    return 'unchanged';
  }
  const startedAtMs = performance.now();
  say(`client: building ${identity.version}, build ${identity.build} …`);
  // The build must not depend on who runs it: under a test runner React would come in its development form.
  process.env['NODE_ENV'] = 'production';
  const { build } = await loadVite();
  await mkdir(distFolder, { recursive: true });
  await rm(stampPath, { force: true });
  const before = new Set(Object.keys(previous?.files ?? {}));
  const written = await withProgress(
    (elapsed) => say(`client: bundling, ${elapsed} s so far …`),
    () => build({ configFile: join(import.meta.dirname, 'vite.config.ts'), mode: 'production', logLevel: 'error' }),
  );
  const outputs = [written].flat().flatMap((each) => ('output' in each ? each.output : []));
  const names = [...new Set([...outputs.map((each) => each.fileName), ...(await listFiles(publicFolder()))])];
  checkWorkerEntry(readBundleGraph(distFolder, names));
  say(`client: bundled ${names.length} files in ${seconds(startedAtMs)}; compressing …`);
  const files = await withProgress(
    (elapsed) => say(`client: compressing, ${elapsed} s so far …`),
    () => compressFiles(distFolder, names.toSorted()),
  );
  // Tabs that were opened before still ask for chunks of the build before.
  await removeOtherFiles(distFolder, new Set([...names, ...before]));
  await writeFile(stampPath, JSON.stringify({ format: 1, ...identity, files } satisfies BuildStamp, null, 1));
  const total = Object.values(files).reduce((sum, size) => sum + size.brotli, 0);
  say(`client: built in ${seconds(startedAtMs)}, ${Math.round(total / 1024)} KB compressed in all`);
  return 'built';
}

/** Vite is a development dependency: an installation without it serves what was built before. */
async function loadVite(): Promise<typeof Vite> {
  try {
    return await import('vite');
  } catch {
    throw new Error(
      'The client has to be built, and the build tools are not installed: run "npm ci" without --omit=dev.',
    );
  }
}

function publicFolder(): string {
  return join(import.meta.dirname, 'public');
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

if (import.meta.main) {
  try {
    loadEnvironmentFile();
    await buildClient((line) => console.log(line));
  } catch (error) {
    console.error(error instanceof Error ? error.message : 'The client could not be built.');
    process.exitCode = 1;
  }
}
