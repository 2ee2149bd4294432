import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

/** An item of 16 MiB in base64url, and what stands around it. */
const longestLine = 32 * 2 ** 20;

/**
 * Lines of a packed file, one after the other in memory.
 *
 * @throws {Error} with the system's code when it cannot be read; any other for what is no such file, or has a line that no
 *   backup has: a small file may unpack to a single line of any length.
 */
export async function* readPackedLines(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const unpacked = createGunzip();
  file.on('error', (error) => unpacked.destroy(error));
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of file.pipe(unpacked) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...pieces, chunk.subarray(start, end)]);
      [pieces, length, start] = [[], 0, end + 1];
    }
    length += chunk.length - start;
    if (length > longestLine) throw new Error('A line is longer than any of a backup.');
    pieces.push(chunk.subarray(start));
  }
  if (length > 0) yield Buffer.concat(pieces);
}
