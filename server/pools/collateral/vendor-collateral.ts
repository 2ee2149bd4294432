import * as v from 'valibot';
import type { Attestation } from '../../../crypto/protocol/messages/enclave-messages.ts';
import {
  type CollateralItem,
  collateralItem,
  type CollateralNeed,
  type NvidiaGpuCollateral,
  type RevocationId,
} from '../../../crypto/protocol/messages/evidence-messages.ts';
import type { Log } from '../../../process/event-log.ts';
import { amdBaseUrl, fetchAmdCollateral } from './amd-collateral.ts';
import { DocumentCache } from './document-cache.ts';
import { fetchIntelCollateral, intelBaseUrl, intelRootUrl } from './intel-collateral.ts';
import { fetchReferenceManifests, fetchRevocationAnswer, nvidiaBaseUrl, nvidiaOcspUrl } from './nvidia-collateral.ts';
import { inTime, VendorRefused } from './vendor-fetch.ts';

/** Other addresses than the vendors' own: a cache of the operator, or a test. */
export type CollateralUrls = {
  readonly amd: string | null;
  readonly intel: string | null;
  readonly nvidia: string | null;
  /** Where NVIDIA is asked about revoked certificates; `off`: nowhere. */
  readonly nvidiaOcsp: string | null;
};
type NvidiaNeed = Extract<CollateralNeed, { kind: 'nvidia-gpu' }>;

/** A client waits this long for documents; a later one is there for the next client. */
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
  async complete({ collateralNeeds, ...evidence }: Attestation): Promise<Omit<Attestation, 'collateralNeeds'>> {
    const given = evidence.collateral ?? [];
    const needs = (collateralNeeds ?? []).filter((need) => !given.some((item) => item.kind === need.kind));
    if (needs.length === 0) return evidence;
    const fetched = await Promise.all(needs.map((need) => this.#fetchInTime(need)));
    const collateral = [...given, ...fetched.filter((item) => item !== null)];
    return collateral.length === 0 ? evidence : { ...evidence, collateral };
  }

  async #fetchInTime(need: CollateralNeed): Promise<CollateralItem | null> {
    try {
      const item = v.safeParse(collateralItem, await inTime(this.#fetch(need), this.#patienceMs));
      if (item.success) return item.output;
      this.#log.warn('collateral-malformed', { kind: need.kind });
    } catch (error) {
      this.#log.warn('collateral-missing', {
        kind: need.kind,
        status: error instanceof VendorRefused ? error.status : null,
      });
    }
    return null;
  }

  #fetch(need: CollateralNeed): Promise<CollateralItem> {
    const { amd, intel, nvidia } = this.#urls;
    switch (need.kind) {
      case 'sev-snp':
        return fetchAmdCollateral(this.#cache, amd ?? amdBaseUrl, need, this.#optionalMs);
      case 'tdx': {
        const bases = { service: intel ?? intelBaseUrl, root: intel ?? intelRootUrl };
        return fetchIntelCollateral(this.#cache, bases, need);
      }
      case 'nvidia-gpu':
        return this.#fetchNvidia(nvidia ?? nvidiaBaseUrl, need);
    }
  }

  async #fetchNvidia(base: string, need: NvidiaNeed): Promise<NvidiaGpuCollateral> {
    const [referenceManifests, revocationAnswers] = await Promise.all([
      fetchReferenceManifests(this.#cache, base, need),
      this.#fetchAnswers(need.revocationIds ?? []),
    ]);
    // A member that holds nothing would be one more that says the same.
    return { kind: need.kind, referenceManifests, ...(revocationAnswers.length > 0 && { revocationAnswers }) };
  }

  /** Only the client decides if a GPU without an answer is refused. */
  async #fetchAnswers(ids: readonly RevocationId[]): Promise<string[]> {
    const base = this.#urls.nvidiaOcsp ?? nvidiaOcspUrl;
    if (base === 'off') return [];
    const fetched = await Promise.allSettled(
      ids.map((id) => inTime(fetchRevocationAnswer(this.#cache, base, id), this.#optionalMs)),
    );
    const failed = fetched.find((each) => each.status === 'rejected');
    if (failed !== undefined) {
      const { reason } = failed as { readonly reason: unknown };
      this.#log.warn('revocation-missing', { status: reason instanceof VendorRefused ? reason.status : null });
    }
    return fetched.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  /** A document that a client can do without must not cost it one that it needs. */
  get #optionalMs(): number {
    return this.#patienceMs / 2;
  }
}
