import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** SHA-256 over a whole file, read in pieces. */
export async function hashFile(file: string, signal?: AbortSignal): Promise<Buffer> {
  const hash = createHash('sha256');
  const options = { highWaterMark: 1024 * 1024, ...(signal === undefined ? {} : { signal }) };
  for await (const chunk of createReadStream(file, options) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest();
}
