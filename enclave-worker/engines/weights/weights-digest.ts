import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { countField } from '../../../crypto/protocol/messages/fields.ts';
import { EngineError } from '../engine/engine.ts';
import { hashFile } from './file-digest.ts';

/** Where the digest of a model server's weights comes from: measured from the files, or taken from who downloaded them. */
export type WeightsSource = { readonly kind: 'folder' | 'manifest'; readonly path: string };

const maximumFiles = 10_000;
const maximumDepth = 16;
const maximumManifestLength = 4 * 1024 * 1024;
/** Disks and network volumes answer several readers faster than one. */
const readers = 4;

/** The download writes this form: canonical or not, only its list counts. */
const weightsManifest = v.object({
  format: v.literal('sotto-weights/1'),
  files: v.pipe(
    v.array(
      v.object({
        path: v.pipe(v.string(), v.minLength(1), v.maxLength(1024)),
        length: countField(),
        sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      }),
    ),
    v.minLength(1),
    v.maxLength(maximumFiles),
  ),
});

type FileDigest = { readonly path: string; readonly sha256: string };

/**
 * The digest of a model's weights (SPEC.md §9.2): base64url.
 *
 * @throws {EngineError} `model-failed` for files that cannot be read, or are not those of the manifest.
 */
export async function digestWeights(source: WeightsSource, signal: AbortSignal): Promise<string> {
  try {
    const files = await (source.kind === 'folder' ? hashFolder(source.path, signal) : readManifest(source.path));
    return combineDigests(files);
  } catch {
    throw new EngineError('model-failed');
  }
}

/** SHA-256 over `path || 0x00 || hex of its SHA-256 || 0x0a` of all files, in the order of the paths' UTF-8 bytes. */
export function combineDigests(files: readonly FileDigest[]): string {
  // A path ends in the lowest byte there is, so lines sort as their paths do.
  const lines = files
    .map(({ path, sha256 }) => Buffer.from(`${path}\0${sha256}\n`))
    .toSorted((a, b) => Buffer.compare(a, b));
  if (new Set(files.map(({ path }) => path)).size !== files.length) throw new EngineError('model-failed');
  const hash = createHash('sha256');
  for (const line of lines) hash.update(line);
  return hash.digest('base64url');
}

async function hashFolder(folder: string, signal: AbortSignal): Promise<FileDigest[]> {
  const paths = await listFiles(folder, '', 0);
  if (paths.length === 0 || paths.length > maximumFiles) throw new EngineError('model-failed');
  const digests: FileDigest[] = [];
  const next = paths.values();
  const read = async () => {
    for (const path of next) {
      const digest = await hashFile(join(folder, path), signal);
      digests.push({ path, sha256: digest.toString('hex') });
    }
  };
  await Promise.all(Array.from({ length: readers }, read));
  return digests;
}

/** Links are followed, as a model server follows them; what begins with a dot is no part of a model. */
async function listFiles(folder: string, prefix: string, depth: number): Promise<string[]> {
  if (depth > maximumDepth) throw new EngineError('model-failed');
  const paths: string[] = [];
  for (const name of await readdir(join(folder, prefix))) {
    if (name.startsWith('.')) continue;
    // A path that its own UTF-8 does not give back would have two digests.
    if (/[\0\n\uFFFD]/.test(name)) throw new EngineError('model-failed');
    const path = prefix === '' ? name : `${prefix}/${name}`;
    const entry = await stat(join(folder, path));
    if (entry.isDirectory()) paths.push(...(await listFiles(folder, path, depth + 1)));
    else if (entry.isFile()) paths.push(path);
    else throw new EngineError('model-failed');
    if (paths.length > maximumFiles) throw new EngineError('model-failed');
  }
  return paths;
}

/** The files lie beside the manifest, each as long as it says. */
async function readManifest(file: string): Promise<readonly FileDigest[]> {
  if ((await stat(file)).size > maximumManifestLength) throw new EngineError('model-failed');
  const { files } = v.parse(weightsManifest, JSON.parse(await readFile(file, 'utf8')));
  for (const { path, length } of files) {
    const isInside = path.split('/').every((part) => part !== '' && !part.startsWith('.')) && !/[\0\n\\]/.test(path);
    if (!isInside) throw new EngineError('model-failed');
    const entry = await stat(join(dirname(file), path));
    if (!entry.isFile() || entry.size !== length) throw new EngineError('model-failed');
  }
  return files;
}
