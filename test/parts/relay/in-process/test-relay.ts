import { onTestFinished } from 'vitest';
import { RateLimiter } from '../../../../server/api/guards/rate-limit.ts';
import type { Log } from '../../../../process/event-log.ts';
import { openRelay, type Relay } from '../../../../server/relay.ts';
import { readSettings, type Settings } from '../../../../server/settings.ts';
import type { DatabaseKind } from '../../../../server/storage/tables/column-types.ts';
import { createDatabase } from '../../storage/shared-postgres.ts';
import { watchDeclaredCodes } from './declared-codes-log.ts';
import { makeTemporaryFolder } from '../../machine/temporary-folder.ts';

export type CallOptions = {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
};
export type CallAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
};

/** A relay without a port: requests go straight into it. */
export type TestRelay = {
  readonly settings: Settings;
  readonly relay: Relay;
  call(method: string, path: string, options?: CallOptions): Promise<CallAnswer>;
  /** Stops it before the test is over; the data stays until then. */
  close(): Promise<void>;
};

export type TestRelayOptions = {
  readonly environment?: Readonly<Record<string, string>>;
  readonly log?: Log;
  /** The relay's own limits; without it a test may call as often as it likes. */
  readonly limiter?: RateLimiter;
};

const silent: Log = { error() {}, warn() {}, info() {}, debug() {} };

/** Opens one for the calling test, or for the hook that asks, and closes it afterwards. */
export async function openTestRelay(kind: DatabaseKind, options: TestRelayOptions = {}): Promise<TestRelay> {
  const opened = await makeTestRelay(kind, options);
  onTestFinished(async () => {
    await opened.close();
    await opened.remove();
  });
  return opened;
}

export async function makeTestRelay(
  kind: DatabaseKind,
  options: TestRelayOptions = {},
): Promise<TestRelay & { remove(): Promise<void> }> {
  const folder = await makeTemporaryFolder('relay');
  const settings = readSettings({
    DATA_DIR: folder.path,
    ENCLAVE_POOL: 'static',
    // Nobody listens there: these tests take no turns.
    ENCLAVE_URLS: 'http://127.0.0.1:9',
    ENCLAVE_TOKEN: 'x'.repeat(32),
    ...(kind === 'postgres' ? { DATABASE_URL: await createDatabase() } : {}),
    ...options.environment,
  });
  const watched = watchDeclaredCodes(options.log ?? silent);
  const relay = await openRelay(settings, watched.log, options.limiter ?? new RateLimiter({ scale: 1e6 }));
  let closed: Promise<void> | null = null;
  return {
    settings,
    relay,
    async call(method, path, { body, token, headers = {} } = {}) {
      const allHeaders: Record<string, string> = {
        host: settings.publicUrl === null ? 'localhost:8787' : new URL(settings.publicUrl).host,
        'sec-fetch-site': method === 'GET' ? '' : 'same-origin',
        'content-type': body === undefined ? '' : 'application/json',
        authorization: token === undefined ? '' : `Bearer ${token}`,
        ...headers,
      };
      const response = await relay.app.request(`http://localhost:8787${path}`, {
        method,
        // An empty one is how a test leaves one of these out.
        headers: Object.entries(allHeaders).filter(([, value]) => value !== ''),
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type') === 'application/json';
      return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null };
    },
    close: () => (closed ??= relay.close().then(() => watched.requireDeclared())),
    remove: () => folder.remove(),
  };
}
