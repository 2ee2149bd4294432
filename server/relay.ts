import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { opaqueReady } from '../crypto/sign-in/opaque-server.ts';
import { accountRoutes } from './accounts/account-routes.ts';
import { browserCookies } from './accounts/sessions/browser-cookies.ts';
import { loadServerKeys } from './accounts/keys/load-server-keys.ts';
import { Sessions } from './accounts/sessions/sessions.ts';
import { TokenSigner } from './accounts/sessions/signed-token.ts';
import { AccountReads } from './api/guards/account-reads.ts';
import { createApp, type RelayApp } from './api/app.ts';
import { BodyMemory } from './api/bodies/body-memory.ts';
import { errorCodes } from '../crypto/protocol/messages/error-codes.ts';
import { ClientAddress } from '../process/http/client-address.ts';
import { HealthCheck } from './api/pages/health.ts';
import { HeldAnswers } from './api/bodies/held-answers.ts';
import { HostNames } from './api/guards/host-name.ts';
import { NameCertificate } from './api/guards/name-certificate.ts';
import { LargeBodies } from './api/bodies/large-bodies.ts';
import { watchLoop } from './connections/loop-watch.ts';
import { OriginGuard } from './api/guards/origin-guard.ts';
import { RateLimiter } from './api/guards/rate-limit.ts';
import { withServiceRoutes } from './api/route/service-routes.ts';
import { StaticFiles } from './api/pages/static-files.ts';
import { type Clock, ClockWatch } from './storage/clock-watch.ts';
import { Housekeeping, tryDatabase } from './housekeeping.ts';
import { checkFolderIsWritable } from './launch/preflight.ts';
import type { Log } from '../process/event-log.ts';
import { createLocalPool } from './pools/static/local-pool.ts';
import { VendorCollateral } from './pools/collateral/vendor-collateral.ts';
import { ModalPool } from './pools/modal/modal-pool.ts';
import { createPinnedAgent, readPinnedCertificates } from './pools/static/pinned-agent.ts';
import type { Pool } from './pools/pool.ts';
import { StaticPool } from './pools/static/static-pool.ts';
import type { Settings } from './settings.ts';
import { StartError } from '../process/start-error.ts';
import type { Database } from './storage/tables/database.ts';
import { openDatabase } from './storage/open-database.ts';
import { OutageLog } from './storage/trouble/outage-log.ts';
import { LocalChangeFeed } from './live/change-feed.ts';
import { enclaveRoutes } from './pools/enclave-routes.ts';
import { PostgresChangeFeed } from './live/postgres-change-feed.ts';
import { turnRoutes } from './turns/turn-routes.ts';
import { TurnService } from './turns/turn-service.ts';
import { vaultRoutes } from './vault/vault-routes.ts';

const projectFolder = join(import.meta.dirname, '..');

/** A relay that is put together and running, without a port. */
export type Relay = {
  readonly app: RelayApp;
  readonly isHttps: boolean;
  readonly addresses: ClientAddress;
  /** A stop begins: not ready from now on, and live responses end, so that browsers go to another relay. */
  leave(): void;
  /** Writes what is in memory, hands the running turns over, lets the database go. After `leave`, once calls are answered. */
  close(): Promise<void>;
};

/** @throws {StartError} for everything that a person can mend. */
export async function openRelay(settings: Settings, log: Log, limiter = new RateLimiter()): Promise<Relay> {
  // Before anything is opened or written.
  const hasWorker = settings.enclaveUrls.length > 0 && settings.enclaveToken !== null;
  if (settings.modal === null && !hasWorker) throw noWorker();
  const addresses = new ClientAddress(settings.clientAddress, () =>
    log.warn('unknown-proxy', {
      advice:
        'A proxy names its clients: set CLIENT_ADDRESS_HEADER and TRUSTED_PROXIES, or all of them share its limits.',
    }),
  );
  const keysAreGiven = settings.serverKeys !== null || settings.serverKeysFile !== null;
  // With PostgreSQL and keys from outside nothing is kept here, and the folder may be read-only.
  if (settings.postgres === null || !keysAreGiven) checkFolderIsWritable(settings.dataFolder);
  await opaqueReady();
  const database = await openDatabase(settings);
  const outages = new OutageLog(log);
  outages.watch(() => tryDatabase(database));
  const clock = new ClockWatch(database, outages, settings.clockCheckedAtMs);
  const pool = openPool(settings, database, { log: outages, clock });
  try {
    return await assemble(settings, outages, { database, clock, pool, addresses, limiter });
  } catch (error) {
    outages.close();
    await pool.close();
    await database.close();
    throw error;
  }
}

async function assemble(
  settings: Settings,
  log: OutageLog,
  opened: {
    readonly database: Database;
    readonly clock: ClockWatch;
    readonly pool: Pool;
    readonly addresses: ClientAddress;
    readonly limiter: RateLimiter;
  },
): Promise<Relay> {
  const { database, clock, pool, addresses, limiter } = opened;
  const keys = await loadServerKeys(settings, database);
  const signer = await TokenSigner.open(keys);
  const feed =
    database.openClient === null
      ? new LocalChangeFeed()
      : new PostgresChangeFeed(database.db, database.openClient, log);
  const { quotaBytes } = settings;
  const collateral = new VendorCollateral(settings.collateral, log);
  // Before anything is found to be over.
  await clock.isBelieved(Date.now());
  const turns = new TurnService({
    database,
    pool,
    collateral,
    feed,
    log,
    quotaBytes,
    clock,
  });
  const onEnded = (sessionId: string) => {
    feed.publish({ kind: 'session-ended', sessionId });
    pool.accountsLeft?.();
  };
  const sessions = new Sessions({ database, keys, signer, clock, onEnded });
  const isHttps = settings.tls !== null || settings.publicUrl?.startsWith('https:') === true;
  const files = new StaticFiles(join(projectFolder, 'client/dist'));
  const routes = [
    ...accountRoutes({ database, keys, signer, sessions, feed, settings }),
    ...vaultRoutes({ database, clock, quotaBytes, stored: (accountId, batch) => turns.stored(accountId, batch) }),
    ...turnRoutes(turns),
    ...enclaveRoutes(turns),
  ];
  const health = new HealthCheck({ database, files, pool });
  const large = new LargeBodies(log);
  const app = createApp({
    sessions,
    cookies: browserCookies(keys.fingerprint, isHttps),
    addresses,
    origins: new OriginGuard(settings.publicUrl),
    limiter,
    bodies: new BodyMemory(),
    answers: new HeldAnswers(),
    large,
    reads: new AccountReads(),
    log,
    routes: withServiceRoutes(routes, { version: readVersion(), build: files.build, signUp: settings.signUp }),
    files,
    health,
    hosts: new HostNames({
      publicUrl: settings.publicUrl,
      further: settings.hostNames,
      isHttps,
      certificate: settings.tls === null ? null : new NameCertificate(settings.tls.certFile),
    }),
  });
  const housekeeping = new Housekeeping(database, log, clock);
  await turns.start();
  const endWatch = watchLoop(log);
  housekeeping.start();
  return {
    app,
    isHttps,
    addresses,
    leave() {
      health.leave();
      turns.leave();
    },
    async close() {
      housekeeping.stop();
      endWatch();
      await large.close();
      await turns.close();
      log.close();
      await database.close();
    },
  };
}

function openPool(settings: Settings, database: Database, { log, clock }: { log: Log; clock: Clock }): Pool {
  const { enclaveCertificates, enclavePool, enclaveUrls, enclaveToken, modal } = settings;
  if (modal !== null && enclaveToken !== null) return new ModalPool({ ...modal, enclaveToken, database, log, clock });
  const [url] = enclaveUrls;
  if (url === undefined || enclaveToken === null) throw noWorker();
  if (enclavePool === 'local') return createLocalPool(url, enclaveToken);
  let hasWarned = false;
  const onTokenRefused = () => {
    if (!hasWarned) {
      log.warn('enclave-token-refused', {
        status: errorCodes['not-signed-in'].status,
        advice: 'A worker does not take ENCLAVE_TOKEN: give relay and workers the same one.',
      });
    }
    hasWarned = true;
  };
  const pinned = enclaveCertificates === null ? null : readPinnedCertificates(enclaveCertificates);
  return new StaticPool(
    enclaveUrls.map((address) => ({
      url: address,
      token: enclaveToken,
      unreachable: 'enclave-unreachable',
      onTokenRefused,
    })),
    pinned === null ? undefined : createPinnedAgent(pinned),
  );
}

function noWorker(): StartError {
  return new StartError(
    'There is no enclave worker: use `npm start`, or set ENCLAVE_POOL=static, ENCLAVE_URLS and ENCLAVE_TOKEN.',
  );
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as { version: string };
  return version;
}
