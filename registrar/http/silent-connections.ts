import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type CallerAddress, networkOfConnection } from '../caller-address.ts';

/** A fleet behind one address keeps a few connections; an auditor's browser has six. */
const perAddress = 64;
/** Whoever connects has something to say: a TLS greeting or a request line. */
const firstByteMs = 5_000;

/**
 * Bounds what connections cost that say nothing: those of one address, and the time until the first byte. A proxy's are many
 * people's, and bounded by the proxy.
 */
export function boundConnections(server: Server, addresses: CallerAddress): void {
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    if (addresses.isProxy(socket.remoteAddress)) return;
    const network = networkOfConnection(socket);
    const count = counts.get(network) ?? 0;
    if (count >= perAddress) return void socket.destroy();
    counts.set(network, count + 1);
    const timer = setTimeout(() => {
      if (socket.bytesRead === 0) socket.destroy();
    }, firstByteMs);
    socket.once('close', () => {
      clearTimeout(timer);
      const left = (counts.get(network) ?? 1) - 1;
      if (left > 0) counts.set(network, left);
      else counts.delete(network);
    });
  });
}
