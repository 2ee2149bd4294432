import { join, resolve } from 'node:path';
import type * as Rolldown from 'rolldown';

const projectRoot = resolve(import.meta.dirname, '../..');

/**
 * Bundles the worker with all that it imports into the text of one file. The same sources give the same text, wherever
 * they lie.
 *
 * @param root - Folder of the project; another one for the test that compares.
 */
export async function bundleWorker(root: string = projectRoot): Promise<string> {
  const { rolldown } = await loadRolldown();
  const build = await rolldown({
    input: join(root, 'enclave-worker/worker.ts'),
    cwd: root,
    platform: 'node',
    // Native, and of no use to a worker that has a model server beside it: loaded from node_modules where it is installed.
    external: ['node-llama-cpp', /^node:/],
    // Comments with the names of modules would be paths of the machine that built it.
    experimental: { attachDebugInfo: 'none' },
    logLevel: 'warn',
    onLog(level, log, say) {
      // Packages hold what bundlers remark on; ours must not.
      if (!/node_modules/.test(log.id ?? log.message)) say(level, log);
    },
  });
  try {
    const { output } = await build.generate({
      format: 'esm',
      codeSplitting: false,
      minify: 'dce-only',
      comments: { legal: true, annotation: false, jsdoc: false },
    });
    const [file, ...others] = output;
    if (others.length > 0) throw new Error('The worker did not become one file.');
    return file.code;
  } finally {
    await build.close();
  }
}

/** A development dependency: an installation without it runs what was built before. */
async function loadRolldown(): Promise<typeof Rolldown> {
  try {
    return await import('rolldown');
  } catch {
    throw new Error('The build tools are not installed: run "npm ci" without --omit=dev.');
  }
}
