import { StartError } from '../process/start-error.ts';

/** All names that Sotto reads, the worker's and the registrar's too: one `.env` serves all. */
export const settingNames = [
  'PORT',
  'HOST',
  'PUBLIC_URL',
  'HOST_NAMES',
  'DATA_DIR',
  'DATABASE_URL',
  'DATABASE_CA',
  'DATABASE_CONNECTIONS',
  'ENCLAVE_POOL',
  'ENCLAVE_URLS',
  'ENCLAVE_TOKEN',
  'ENCLAVE_CERTIFICATES',
  'COLLATERAL_AMD_URL',
  'COLLATERAL_INTEL_URL',
  'COLLATERAL_NVIDIA_URL',
  'COLLATERAL_NVIDIA_OCSP_URL',
  'TLS_CERT',
  'TLS_KEY',
  'SERVER_KEYS',
  'SERVER_KEYS_FILE',
  'CLIENT_ADDRESS_HEADER',
  'TRUSTED_PROXIES',
  'CONNECTIONS',
  'CONNECTIONS_PER_ADDRESS',
  'LOG_LEVEL',
  'SIGN_UP',
  'QUOTA_BYTES',
  'DISK_RESERVE_BYTES',
  'STORAGE_LIMIT_BYTES',
  'CLOCK_CHECKED_ON',
  'WORKER_HOST',
  'WORKER_PORT',
  'ENGINE',
  'MODAL_SERVER_URL',
  'MODAL_PROXY_TOKEN',
  'MODAL_WORKSPACE_ID',
  'MODAL_ENVIRONMENT_ID',
  'MODAL_APP_ID',
  'MODAL_FUNCTION_ID',
  'LLM_BASE_URL',
  'LLM_API_KEY',
  'LLM_MODEL',
  'MODEL_FILE',
  'MODEL_DIGEST',
  'DRAIN_SECONDS',
  'LLM_WEIGHTS_FOLDER',
  'LLM_WEIGHTS_MANIFEST',
  'EVIDENCE',
  'EVIDENCE_GPU',
  'EVIDENCE_GPU_TOOL',
  'REGISTRAR_URL',
] as const;

/** Beginnings that belong to Sotto alone: an unknown name with one of them is a mistake, not somebody else's variable. */
const ownPrefixes = [
  'ENCLAVE_',
  'COLLATERAL_',
  'LLM_',
  'MODAL_',
  'SERVER_KEYS',
  'TRUSTED_PROX',
  'CLIENT_ADDRESS',
  'DATABASE_CONN',
  'DISK_RESERVE',
  'STORAGE_LIMIT',
  'CLOCK_CHECKED',
];
/** Modal's own tools and containers set these. */
const foreignNames =
  /^MODAL_(TOKEN_ID|TOKEN_SECRET|IDENTITY_TOKEN|IDENTITY_TOKEN_FILE|ENVIRONMENT|PROFILE|CONFIG_PATH|TASK_ID|IMAGE_ID|IS_REMOTE|CLOUD_PROVIDER|REGION)$/;

/** @throws {StartError} that names the nearest right name. */
export function checkNames(names: readonly string[]): void {
  for (const name of names) {
    if (!ownPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    if (settingNames.some((known) => known === name) || foreignNames.test(name)) continue;
    throw new StartError(`There is no setting ${name}; did you mean ${nearestName(name)}?`);
  }
}

function nearestName(name: string): string {
  let nearest: string = settingNames[0];
  let least = Infinity;
  for (const known of settingNames) {
    const distance = editDistance(name, known);
    if (distance < least) [nearest, least] = [known, distance];
  }
  return nearest;
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
