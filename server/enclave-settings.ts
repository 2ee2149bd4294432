import type { CollateralUrls } from './pools/collateral/vendor-collateral.ts';
import { StartError } from '../process/start-error.ts';
import { readFileSync } from 'node:fs';
import { readPinnedCertificates } from './pools/static/pinned-agent.ts';
import type { Values } from '../process/settings/read-values.ts';

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

/** @throws {StartError} for the first that is missing or does not go with the others. */
export function readEnclaveSettings(values: Values<'relay'>): EnclaveSettings {
  const { ENCLAVE_POOL: enclavePool, ENCLAVE_TOKEN: enclaveToken } = values;
  const enclaveUrls = values.ENCLAVE_URLS ?? [];
  if (enclavePool === 'static' && enclaveUrls.length === 0) {
    throw new StartError('ENCLAVE_POOL=static needs ENCLAVE_URLS: the workers to use, separated by commas.');
  }
  if (enclavePool !== 'local' && enclaveToken === null) {
    throw new StartError(
      `ENCLAVE_POOL=${enclavePool} needs ENCLAVE_TOKEN: the secret that the workers were given too.`,
    );
  }
  return {
    enclavePool,
    enclaveUrls,
    enclaveToken,
    enclaveCertificates: readCertificates(values.ENCLAVE_CERTIFICATES, enclavePool, enclaveUrls),
    modal: enclavePool === 'modal' ? readModal(values.MODAL_SERVER_URL, values.MODAL_PROXY_TOKEN) : null,
    collateral: {
      amd: values.COLLATERAL_AMD_URL,
      intel: values.COLLATERAL_INTEL_URL,
      nvidia: values.COLLATERAL_NVIDIA_URL,
      nvidiaOcsp: values.COLLATERAL_NVIDIA_OCSP_URL,
    },
  };
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
  return { url, proxyToken };
}
