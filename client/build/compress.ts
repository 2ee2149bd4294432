import { readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const compressible = new Set(['.html', '.js', '.css', '.svg', '.json', '.wasm', '.webmanifest', '.md', '.txt']);

export type FileSize = { readonly raw: number; readonly gzip: number; readonly brotli: number };

/**
 * Writes `.br` (quality 11) and `.gz` beside each file that gets smaller by it.
 *
 * @returns Bytes on the wire of every file, by its name.
 */
export async function compressFiles(folder: string, names: readonly string[]): Promise<Record<string, FileSize>> {
  const sizes: Record<string, FileSize> = {};
  await Promise.all(
    names.map(async (name) => {
      const contents = await readFile(join(folder, name));
      sizes[name] = compressible.has(extname(name))
        ? await writeCompressed(join(folder, name), contents)
        : { raw: contents.length, gzip: contents.length, brotli: contents.length };
    }),
  );
  return Object.fromEntries(Object.entries(sizes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function writeCompressed(path: string, contents: Buffer): Promise<FileSize> {
  const [brotli, zipped] = await Promise.all([
    promisify(brotliCompress)(contents, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: contents.length,
      },
    }),
    promisify(gzip)(contents, { level: constants.Z_BEST_COMPRESSION }),
  ]);
  await Promise.all([writeFile(`${path}.br`, brotli), writeFile(`${path}.gz`, zipped)]);
  return { raw: contents.length, gzip: zipped.length, brotli: brotli.length };
}
