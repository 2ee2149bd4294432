import { createServer } from 'node:net';

/**
 * A loopback port that nothing listens on at this moment.
 *
 * Linux hands out ephemeral ports at random, so two callers rarely meet; whatever can listen on port 0 itself should.
 */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') {
          reject(new Error('The port of a closed server is unknown.'));
        } else {
          resolve(address.port);
        }
      });
    });
  });
}
