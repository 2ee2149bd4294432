import * as v from 'valibot';
import type { EnclaveEvidence } from '../../../crypto/messages/enclave-messages.ts';
import {
  type CollateralItem,
  collateralItem,
  type CollateralNeed,
} from '../../../crypto/messages/evidence-messages.ts';
import type { Log } from '../../log.ts';
import { amdBaseUrl, fetchAmdCollateral } from './amd-collateral.ts';
import { DocumentCache } from './document-cache.ts';
import { fetchIntelCollateral, intelBaseUrl, intelRootUrl } from './intel-collateral.ts';
import { fetchNvidiaCollateral, nvidiaBaseUrl } from './nvidia-collateral.ts';
import { VendorRefused } from './vendor-fetch.ts';

/** Other addresses than the vendors' own: a cache of the operator, or a test. */
export type CollateralUrls = {
  readonly amd: string | null;
  readonly intel: string | null;
  readonly nvidia: string | null;
};

/** What a client waits for documents; what comes later is there for the next one. */
const patienceMs = 8_000;

/**
 * Fetches for clients what the vendors of the hardware publish about it. The relay passes these bytes on and judges nothing:
 * a client believes them for their signatures and dates, and refuses evidence that lacks them.
 */
export class VendorCollateral {
  readonly #urls: CollateralUrls;
  readonly #log: Log;
  readonly #cache: DocumentCache;
  readonly #patienceMs: number;

  constructor(
    urls: CollateralUrls,
    log: Log,
    more: { readonly cache?: DocumentCache; readonly patienceMs?: number } = {},
  ) {
    this.#urls = urls;
    this.#log = log;
    this.#cache = more.cache ?? new DocumentCache();
    this.#patienceMs = more.patienceMs ?? patienceMs;
  }

  /** The answer with what the enclave asked for; what it gave by itself stays. */
  async complete({ collateralNeeds, ...evidence }: EnclaveEvidence): Promise<Omit<EnclaveEvidence, 'collateralNeeds'>> {
    const given = evidence.collateral ?? [];
    const needs = (collateralNeeds ?? []).filter((need) => !given.some((item) => item.kind === need.kind));
    if (needs.length === 0) return evidence;
    const fetched = await Promise.all(needs.map((need) => this.#fetchInTime(need)));
    const collateral = [...given, ...fetched.filter((item) => item !== null)];
    return collateral.length === 0 ? evidence : { ...evidence, collateral };
  }

  async #fetchInTime(need: CollateralNeed): Promise<CollateralItem | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new VendorRefused(null)), this.#patienceMs);
    });
    try {
      const item = v.safeParse(collateralItem, await Promise.race([this.#fetch(need), late]));
      if (item.success) return item.output;
      this.#log.warn('collateral-malformed', { kind: need.kind });
    } catch (error) {
      this.#log.warn('collateral-missing', {
        kind: need.kind,
        status: error instanceof VendorRefused ? error.status : null,
      });
    } finally {
      clearTimeout(timer);
    }
    return null;
  }

  #fetch(need: CollateralNeed): Promise<CollateralItem> {
    const { amd, intel, nvidia } = this.#urls;
    switch (need.kind) {
      case 'sev-snp':
        return fetchAmdCollateral(this.#cache, amd ?? amdBaseUrl, need);
      case 'tdx': {
        const bases = { service: intel ?? intelBaseUrl, root: intel ?? intelRootUrl };
        return fetchIntelCollateral(this.#cache, bases, need);
      }
      case 'nvidia-gpu':
        return fetchNvidiaCollateral(this.#cache, nvidia ?? nvidiaBaseUrl, need);
    }
  }
}
