import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorker } from './build/bundle-worker.ts';
import {
  describeRelease,
  distFolder,
  releaseFileName,
  type ReleaseManifest,
  workerFileName,
} from './build/release-manifest.ts';

/**
 * Builds the worker into one file, and the manifest that names its digest.
 *
 * @param folder - Where both are written.
 * @param commit - The commit of the sources; null where nobody says.
 */
export async function buildWorker(folder: string = distFolder, commit: string | null = null): Promise<ReleaseManifest> {
  const worker = Buffer.from(await bundleWorker());
  const manifest = describeRelease(worker, commit);
  await mkdir(folder, { recursive: true });
  await replaceFile(join(folder, workerFileName), worker);
  await replaceFile(join(folder, releaseFileName), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** A reader of the file meanwhile has the old one or the new one, never a part. */
async function replaceFile(file: string, content: string | Buffer): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, content);
  await rename(temporary, file);
}

if (import.meta.main) {
  try {
    const { version, imageDigest, files } = await buildWorker(distFolder, process.argv[2] ?? null);
    process.stdout.write(`worker: built ${version}, ${Math.round((files[0]?.length ?? 0) / 1024)} KB\n`);
    process.stdout.write(`worker: imageDigest ${imageDigest}, sha256 ${files[0]?.sha256}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'The worker could not be built.'}\n`);
    process.exitCode = 1;
  }
}
