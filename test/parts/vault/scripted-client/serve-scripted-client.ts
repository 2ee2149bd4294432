import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { build } from 'vite';
import { entityTableAlias } from '../../../../client/build/entity-table-alias.ts';
import { pageWords } from '../../../../client/build/page-words.ts';
import { contentSecurityPolicy } from '../../../../server/api/pages/security-headers.ts';
import { makeTemporaryFolder } from '../../machine/temporary-folder.ts';

const mediaTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export type ServedClient = { readonly origin: string; readonly stop: () => Promise<void> };

/** Builds the real pages over the scripted vault and serves them under the real policy. */
export async function serveScriptedClient(): Promise<ServedClient> {
  const folder = await makeTemporaryFolder('scripted-client');
  await build({
    configFile: false,
    root: import.meta.dirname,
    logLevel: 'error',
    plugins: [react(), tailwindcss(), pageWords()],
    resolve: { alias: entityTableAlias },
    define: { __SOTTO_VERSION__: '"0.0.0"', __SOTTO_BUILD__: '"0123456789ab"' },
    build: {
      outDir: folder.path,
      emptyOutDir: true,
      minify: false,
      target: 'esnext',
      assetsInlineLimit: 0,
      cssCodeSplit: false,
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 8192,
    },
  });
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/livez') {
      response.setHeader('content-type', 'application/json');
      response.end('{}');
      return;
    }
    const file = extname(path) === '' ? '/index.html' : path;
    readFile(join(folder.path, file)).then(
      (contents) => {
        response.setHeader('content-type', mediaTypes[extname(file)] ?? 'application/octet-stream');
        response.setHeader('content-security-policy', contentSecurityPolicy);
        response.end(contents);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await folder.remove();
    },
  };
}
