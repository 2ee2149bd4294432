import { StartError } from '../process/start-error.ts';

/** All names that the registrar reads. */
export const settingNames = [
  'REGISTRAR_KEYS',
  'REGISTRAR_KEYS_FILE',
  'REGISTRAR_HOST',
  'REGISTRAR_PORT',
  'REGISTRAR_DATA_DIR',
  'REGISTRAR_LOG_ORIGIN',
  'REGISTRAR_TLS_CERT',
  'REGISTRAR_TLS_KEY',
  'REGISTRAR_BEHIND_PROXY',
  'REGISTRAR_ADDRESS_HEADER',
  'REGISTRAR_TRUSTED_PROXIES',
  'REGISTRAR_STATEMENT_SECONDS',
  'REGISTRAR_TOKEN_MAX_AGE_SECONDS',
  'REGISTRAR_JWKS_CACHE_SECONDS',
  'REGISTRAR_JWKS_COOLDOWN_SECONDS',
  'REGISTRAR_COMMIT_URL',
  'REGISTRAR_TEST_ISSUER',
  'MODAL_WORKSPACE_ID',
  'MODAL_ENVIRONMENT_ID',
  'MODAL_APP_ID',
  'MODAL_FUNCTION_ID',
] as const;
/** The worker's, in an `.env` that serves both. */
const foreignNames = new Set(['REGISTRAR_URL']);

/** An unknown name that begins as ours do is a mistake. @throws {StartError} that names the nearest right name. */
export function checkNames(names: readonly string[]): void {
  for (const name of names) {
    if (!name.startsWith('REGISTRAR_') || foreignNames.has(name)) continue;
    if (settingNames.some((known) => known === name)) continue;
    throw new StartError(`There is no setting ${name}; did you mean ${nearestName(name)}?`);
  }
}

function nearestName(name: string): string {
  const distances = settingNames.map((known) => ({ known, distance: editDistance(name, known) }));
  return distances.reduce((best, next) => (next.distance < best.distance ? next : best)).known;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
