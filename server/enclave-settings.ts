import { readFileSync } from 'node:fs';
import type { CollateralUrls } from './pools/collateral/vendor-collateral.ts';
import { readPinnedCertificates } from './pools/static/pinned-agent.ts';
import { isLoopback } from '../process/loopback.ts';
import { StartError } from '../process/start-error.ts';

export type EnclaveSettings = {
  readonly enclavePool: 'local' | 'static' | 'modal';
  readonly enclaveUrls: readonly string[];
  readonly enclaveToken: string | null;
  /** PEM text: the only certificates that static workers may show. */
  readonly enclaveCertificates: string | null;
  readonly modal: { readonly url: string; readonly proxyToken: string } | null;
  /** Where the documents of vendors come from, when not from the vendors. */
  readonly collateral: CollateralUrls;
};

type Read = (name: string) => string | null;

const pools = ['local', 'static', 'modal'] as const;

/** @throws {StartError} for the first wrong value. */
export function readEnclaveSettings(text: Read): EnclaveSettings {
  const named = text('ENCLAVE_POOL') ?? 'local';
  const enclavePool = pools.find((pool) => pool === named);
  if (enclavePool === undefined) throw new StartError(`ENCLAVE_POOL must be one of ${pools.join(', ')}.`);
  const enclaveUrls = readUrls(text('ENCLAVE_URLS') ?? '');
  const enclaveToken = text('ENCLAVE_TOKEN');
  if (enclavePool === 'static' && enclaveUrls.length === 0) {
    throw new StartError('ENCLAVE_POOL=static needs ENCLAVE_URLS: the workers to use, separated by commas.');
  }
  if (enclavePool !== 'local' && enclaveToken === null) {
    throw new StartError(
      `ENCLAVE_POOL=${enclavePool} needs ENCLAVE_TOKEN: the secret that the workers were given too.`,
    );
  }
  if (enclaveToken !== null && !/^[!-~]{32,512}$/.test(enclaveToken)) {
    throw new StartError('ENCLAVE_TOKEN needs at least 32 characters without blanks, as from `openssl rand -hex 32`.');
  }
  const ocspUrl = text('COLLATERAL_NVIDIA_OCSP_URL');
  return {
    enclavePool,
    enclaveUrls,
    enclaveToken,
    enclaveCertificates: readCertificates(text('ENCLAVE_CERTIFICATES'), enclavePool, enclaveUrls),
    modal: enclavePool === 'modal' ? readModal(text('MODAL_SERVER_URL'), text('MODAL_PROXY_TOKEN')) : null,
    collateral: {
      amd: readBaseUrl('COLLATERAL_AMD_URL', text('COLLATERAL_AMD_URL')),
      intel: readBaseUrl('COLLATERAL_INTEL_URL', text('COLLATERAL_INTEL_URL')),
      nvidia: readBaseUrl('COLLATERAL_NVIDIA_URL', text('COLLATERAL_NVIDIA_URL')),
      nvidiaOcsp: ocspUrl === 'off' ? ocspUrl : readBaseUrl('COLLATERAL_NVIDIA_OCSP_URL', ocspUrl),
    },
  };
}

function readUrls(list: string): string[] {
  const urls = list.split(',').flatMap((url) => (url.trim() === '' ? [] : [url.trim()]));
  for (const url of urls) {
    const parsed = URL.parse(url);
    if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.search !== '' || parsed.username !== '') {
      throw new StartError(
        'ENCLAVE_URLS holds something that is not a URL: write http://host:port, separated by commas.',
      );
    }
  }
  return urls;
}

function readCertificates(path: string | null, pool: string, urls: readonly string[]): string | null {
  if (path === null) return null;
  if (pool !== 'static' || urls.some((url) => !url.startsWith('https://'))) {
    throw new StartError('ENCLAVE_CERTIFICATES is for ENCLAVE_POOL=static with https addresses in ENCLAVE_URLS.');
  }
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch {
    throw new StartError('ENCLAVE_CERTIFICATES cannot be read: give the path of a PEM file.');
  }
  if (readPinnedCertificates(pem) === null) {
    throw new StartError('ENCLAVE_CERTIFICATES names a file without certificates: give the workers’ own, in PEM.');
  }
  return pem;
}

function readModal(url: string | null, proxyToken: string | null): EnclaveSettings['modal'] {
  if (url === null) {
    throw new StartError('ENCLAVE_POOL=modal needs MODAL_SERVER_URL: the address that `modal deploy` printed.');
  }
  if (proxyToken === null) {
    throw new StartError('ENCLAVE_POOL=modal needs MODAL_PROXY_TOKEN: a proxy token of the workspace, wk-….ws-….');
  }
  // An API token begins with `ak-`: it could open a shell in a container, and has no place here.
  if (!/^wk-[A-Za-z0-9]{1,128}\.ws-[A-Za-z0-9]{1,128}$/.test(proxyToken)) {
    throw new StartError('MODAL_PROXY_TOKEN is not a proxy token: it reads wk-….ws-…, both halves joined by a dot.');
  }
  return { url: readBaseUrl('MODAL_SERVER_URL', url) ?? url, proxyToken };
}

/** An https address without a slash at the end; plain http on this machine alone. */
function readBaseUrl(name: string, value: string | null): string | null {
  if (value === null) return null;
  const url = URL.parse(value);
  const isLocal = url !== null && isLoopback(url.hostname);
  const isSafe = url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal));
  if (!isSafe || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new StartError(`${name} is not an https address: write https://host, without a question mark or a password.`);
  }
  return url.href.replace(/\/+$/, '');
}
