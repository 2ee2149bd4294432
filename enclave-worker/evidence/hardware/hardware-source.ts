import * as v from 'valibot';
import { deriveGpuNonce, deriveReportData, type EvidenceBinding } from '../../../crypto/evidence/binding.ts';
import {
  type CollateralItem,
  collateralList,
  type CollateralNeed,
  collateralNeeds,
  type EvidenceItem,
  evidenceList,
  type NvidiaGpuEvidence,
} from '../../../crypto/protocol/messages/evidence-messages.ts';
import { type Bytes, randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import {
  type CollectedEvidence,
  EvidenceError,
  type EvidenceProblem,
  type EvidenceSource,
  NoEvidence,
} from '../source/evidence-source.ts';
import { LimitedTurns } from './limited-turns.ts';
import { Renewal } from '../source/renewal.ts';
import { TokenBucket } from '../../../process/token-bucket.ts';

/** Below the two hours that a policy allows, so that clocks that differ a little do no harm. */
export const evidenceLifetimeMs = 110 * 60_000;
export const evidenceRenewalMs = 50 * 60_000;
/** Callers that want hardware to sign their own nonce: so many at once, then one a second. */
const burst = 16;
const perMinute = 60;
const mostCallers = 16;
const limitMs = 90_000;

/** A vendor's interface gives this of one report: the fields of its evidence that are not the binding. */
export type MachineReport = {
  readonly evidence:
    | { readonly kind: 'sev-snp'; readonly report: string }
    | { readonly kind: 'tdx'; readonly quote: string };
  readonly collateral: CollateralItem | null;
  readonly need: CollateralNeed | null;
};
export type GpuReport = {
  readonly devices: NvidiaGpuEvidence['devices'];
  readonly need: CollateralNeed | null;
};
/** @throws {EvidenceError} */
export type MachineCollector = (reportData: Bytes) => Promise<MachineReport>;
export type GpuCollector = (nonce: Bytes) => Promise<GpuReport>;

/** Evidence that a processor, and with it its GPUs, signed for this enclave's identity (SPEC.md §9.5). */
export class HardwareSource implements EvidenceSource {
  readonly #identityPublicKey: Uint8Array;
  readonly #imageDigest: Uint8Array;
  readonly #machine: MachineCollector;
  readonly #gpu: GpuCollector | null;
  readonly #nowMs: () => number;
  /** Two may ask the hardware: one caller's question, and the enclave's own. */
  readonly #hardware = new LimitedTurns({ most: 2, limitMs });
  /** Callers wait here, so that the enclave's own evidence never stands behind more than one of them. */
  readonly #callers = new LimitedTurns({ most: mostCallers, limitMs });
  readonly #bucket: TokenBucket;
  readonly #renewal: Renewal<CollectedEvidence>;
  readonly #onProblem: (problem: EvidenceProblem) => void;

  constructor(input: {
    readonly identityPublicKey: Uint8Array;
    /** 32: of the file that this worker is. */
    readonly imageDigest: Uint8Array;
    readonly machine: MachineCollector;
    readonly gpu: GpuCollector | null;
    /** Wall time that never goes back, as the key statements have it. */
    readonly nowMs: () => number;
    readonly onProblem: (problem: EvidenceProblem) => void;
    readonly onReady?: () => void;
  }) {
    this.#identityPublicKey = input.identityPublicKey;
    this.#imageDigest = input.imageDigest;
    this.#machine = input.machine;
    this.#gpu = input.gpu;
    this.#nowMs = input.nowMs;
    this.#onProblem = input.onProblem;
    this.#bucket = new TokenBucket({ burst, perMinute }, input.nowMs());
    this.#renewal = new Renewal({
      nowMs: input.nowMs,
      onProblem: input.onProblem,
      ...(input.onReady === undefined ? {} : { onReady: input.onReady }),
      collect: async () => {
        const bornAtMs = this.#nowMs();
        const value = await this.#collect(randomBytes(32));
        return { value, renewAtMs: bornAtMs + evidenceRenewalMs, notAfterMs: bornAtMs + evidenceLifetimeMs };
      },
    });
  }

  get isReady(): boolean {
    return this.#renewal.isReady;
  }

  start(): void {
    this.#renewal.start();
  }

  async current(freshness: Bytes | null): Promise<CollectedEvidence> {
    if (freshness === null) return this.#renewal.current();
    if (this.#bucket.fill(this.#nowMs()).level < 1) throw new NoEvidence('busy');
    this.#bucket.take();
    try {
      return await this.#callers.run(() => this.#collect(freshness));
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      this.#onProblem(error.problem);
      throw new NoEvidence('starting');
    }
  }

  close(): void {
    this.#renewal.close();
  }

  #collect(freshness: Bytes): Promise<CollectedEvidence> {
    return this.#hardware.run(async () => {
      const binding: EvidenceBinding = {
        identityPublicKey: this.#identityPublicKey,
        freshness,
        notAfterMs: this.#nowMs() + evidenceLifetimeMs,
        imageDigest: this.#imageDigest,
      };
      // The GPUs first: the machine signs what they signed (SPEC.md §9.5).
      const gpu = this.#gpu === null ? null : await this.#gpu(deriveGpuNonce(binding));
      const machine = await this.#machine(deriveReportData(binding, gpu?.devices ?? []));
      return assemble(binding, machine, gpu);
    });
  }
}

/** Nothing leaves the worker that a client's own schemas would refuse. */
function assemble(binding: EvidenceBinding, machine: MachineReport, gpu: GpuReport | null): CollectedEvidence {
  const evidence: EvidenceItem[] = [
    {
      ...machine.evidence,
      identityPublicKey: toBase64Url(binding.identityPublicKey),
      freshness: toBase64Url(binding.freshness),
      notAfterMs: binding.notAfterMs,
      imageDigest: toBase64Url(binding.imageDigest),
    },
    ...(gpu === null ? [] : [{ kind: 'nvidia-gpu' as const, devices: gpu.devices }]),
  ];
  const collateral = machine.collateral === null ? [] : [machine.collateral];
  const needs = [machine.need, gpu?.need ?? null].filter((need) => need !== null);
  const isSound = v.is(evidenceList, evidence) && v.is(collateralList, collateral) && v.is(collateralNeeds, needs);
  if (!isSound) throw new EvidenceError('malformed');
  return { evidence, collateral, collateralNeeds: needs };
}
