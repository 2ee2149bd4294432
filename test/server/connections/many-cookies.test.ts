import { once } from 'node:events';
import { connect } from 'node:http2';
import { Hono } from 'hono';
import { expect, onTestFinished, test } from 'vitest';
import type { RelayApp } from '../../../server/api/app.ts';
import { listen } from '../../../server/connections/listener.ts';
import { writeCertificate } from '../../parts/network/certificate-files.ts';

test('HTTP/2: as many cookies as browsers keep for a site are taken, each a field; more than a head holds are not', async () => {
  const { cert, files: tls } = await writeCertificate();
  const app: RelayApp = new Hono();
  app.get('/livez', () => new Response('ok'));
  const listening = await listen(app, { host: '127.0.0.1', port: 0, tls, isHttps: true });
  onTestFinished(() => listening.close(0));
  const statusWith = async (count: number) => {
    const session = connect(`https://localhost:${listening.port}`, { ca: cert });
    session.on('error', () => undefined);
    onTestFinished(() => session.destroy());
    // So browsers send them (RFC 9113 §8.2.3).
    const cookie = Array.from({ length: count }, (_, number) => `site-cookie-${number}=${'v'.repeat(20)}`);
    const stream = session.request({ ':path': '/livez', cookie });
    try {
      const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
      return headers[':status'];
    } catch {
      return 'refused';
    }
  };
  for (const count of [1, 65, 180]) expect(await statusWith(count)).toBe(200);
  expect(await statusWith(400)).not.toBe(200);
});
