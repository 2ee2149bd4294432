import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type ClientAddress } from '../../process/http/client-address.ts';
import { addressOfConnection, networksOf } from '../../process/http/networks.ts';

/** A fleet behind one address keeps a few connections; an auditor's browser has six. */
const perAddress = 64;
/** Every caller has something to say: a TLS greeting or a request line. */
const firstByteMs = 5_000;

/**
 * Bounds what connections cost that say nothing: those of one address, with several times as many for the networks around it,
 * and the time until the first byte. A proxy's are many people's, and bounded by the proxy.
 */
export function boundConnections(server: Server, addresses: ClientAddress): void {
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    if (addresses.isTrusted(socket.remoteAddress ?? '')) return;
    const networks = networksOf(addressOfConnection(socket));
    if (networks.some(({ name, share }) => (counts.get(name) ?? 0) >= perAddress * share)) return void socket.destroy();
    for (const { name } of networks) counts.set(name, (counts.get(name) ?? 0) + 1);
    const timer = setTimeout(() => {
      if (socket.bytesRead === 0) socket.destroy();
    }, firstByteMs);
    socket.once('close', () => {
      clearTimeout(timer);
      for (const { name } of networks) {
        const left = (counts.get(name) ?? 1) - 1;
        if (left > 0) counts.set(name, left);
        else counts.delete(name);
      }
    });
  });
}
