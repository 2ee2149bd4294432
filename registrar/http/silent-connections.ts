import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ClientAddress } from '../../process/http/client-address.ts';
import { ConnectionPlaces } from '../../process/http/connection-places.ts';

/** A fleet behind one address keeps a few connections; an auditor's browser has six. Node counts those of all callers. */
const limits = { total: Infinity, perAddress: 64 };
/** Every caller has something to say: a TLS greeting or a request line. */
const firstByteMs = 5_000;

/**
 * Bounds what connections cost that say nothing: those of one address, with several times as many for the networks around it,
 * and the time until the first byte. A proxy's are many people's, and bounded by the proxy.
 */
export function boundConnections(server: Server, addresses: ClientAddress): void {
  const isProxy = (remoteAddress: string) => addresses.isTrusted(remoteAddress);
  const places = new ConnectionPlaces(limits, isProxy);
  server.on('connection', (socket: Socket) => {
    if (isProxy(socket.remoteAddress ?? '')) return;
    if (!places.take(socket)) return void socket.destroy();
    const timer = setTimeout(() => {
      if (socket.bytesRead === 0) socket.destroy();
    }, firstByteMs);
    socket.once('close', () => clearTimeout(timer));
  });
}
