import type { Pool } from '../pool.ts';
import { StaticPool } from './static-pool.ts';

/**
 * The worker that the launcher runs beside the relay.
 *
 * The launcher restarts a worker that ends, under the same address, so one that does not answer is "starting". Its port
 * changes with the launcher: by its name a turn of an earlier start finds the new worker, which says that it is gone.
 */
export function createLocalPool(url: string, token: string): Pool {
  return new StaticPool([{ url, token, unreachable: 'enclave-starting', name: 'local' }]);
}
