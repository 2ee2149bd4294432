import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** A client that reads nothing for so long is gone. */
const drainDeadlineMs = 30_000;

/** Writes pieces as fast as the client takes them, and cuts the connection when it takes none. */
export async function sendPieces(
  response: ServerResponse,
  pieces: AsyncIterable<Uint8Array>,
  onPiece: (length: number) => void,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  for await (const piece of pieces) {
    if (response.destroyed) return;
    onPiece(piece.length);
    if (response.write(piece)) continue;
    try {
      const signal = AbortSignal.timeout(drainDeadlineMs);
      await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
    } catch {
      response.destroy();
      return;
    }
  }
  response.end();
}
