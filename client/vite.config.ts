import { join } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { readBuildIdentity } from './build/build-identity.ts';
import { readClientPolicy } from './build/client-policy.ts';
import { entityTableAlias } from './build/entity-table-alias.ts';
import { pageWords } from './build/page-words.ts';

const clientFolder = import.meta.dirname;

/** Where `npm run dev` finds the relay that Vite hands API calls on to. */
const relayAddress = process.env['DEV_RELAY_URL'] ?? 'http://127.0.0.1:8788';

/** The Worker's chunks by the library that makes them large (the size budget looks for OPAQUE), else by their module. */
function chunkName(moduleIds: readonly string[]): string {
  const library = ['@serenity-kit/opaque', 'libsodium-wrappers', 'hpke'].find((name) =>
    moduleIds.some((id) => id.includes(`/node_modules/${name}/`)),
  );
  return library?.split('/').at(-1) ?? '[name]';
}

const { version, build } = readBuildIdentity();

export default defineConfig({
  root: clientFolder,
  plugins: [react(), tailwindcss(), pageWords()],
  // Modules are ordered by their paths: the same build must come out where node_modules is a link to another place.
  resolve: { preserveSymlinks: true, alias: entityTableAlias },
  define: {
    __SOTTO_VERSION__: JSON.stringify(version),
    __SOTTO_BUILD__: JSON.stringify(build),
    __SOTTO_POLICY__: JSON.stringify(readClientPolicy()),
  },
  build: {
    outDir: join(clientFolder, 'dist'),
    // Chunks of the build before stay for tabs that are still open; build.ts removes older ones.
    emptyOutDir: false,
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // A data: URL for a small file would not pass the policy (font-src, style-src).
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4096,
    license: { fileName: 'licences.md' },
  },
  worker: {
    format: 'es',
    rolldownOptions: {
      output: {
        chunkFileNames: ({ moduleIds }) => `assets/vault-${chunkName(moduleIds)}-[hash].js`,
        // WebKit runs a Worker's entry a second time when another chunk imports it, and two vaults would answer each call.
        // So the entry shares nothing: all that it needs at once is a chunk beside it (build/worker-entry.ts checks it).
        codeSplitting: {
          groups: [{ name: 'start', tags: ['$initial'], test: (id) => !id.endsWith('/worker/vault-worker.ts') }],
        },
      },
    },
  },
  // With the Worker's libraries found only as it asks for them, the first sign-up under `npm run dev` would be reloaded away.
  optimizeDeps: { entries: ['index.html', 'worker/vault-worker.ts'] },
  server: {
    watch: { ignored: ['**/dist/**'] },
    // Only the relay's own paths; everything else is the client's.
    proxy: Object.fromEntries(
      ['/v1', '/healthz', '/readyz', '/livez'].map((path) => [path, { target: relayAddress, changeOrigin: false }]),
    ),
  },
});
