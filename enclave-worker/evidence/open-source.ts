import type { Secret } from '../../crypto/protocol/bytes/secret.ts';
import type { PossessionPurpose } from '../../crypto/evidence/modal/possession.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';
import { DevelopmentSource } from './development-source.ts';
import type { EvidenceProblem, EvidenceSource } from './source/evidence-source.ts';
import { HardwareSource } from './hardware/hardware-source.ts';
import { nvidiaGpuCollector, sevSnpCollector, tdxCollector } from './hardware/machine-collectors.ts';
import { ModalSource } from './modal/modal-source.ts';

/** Who vouches for this worker. */
export type EvidenceSettings =
  | { readonly kind: 'development' }
  | { readonly kind: 'sev-snp' | 'tdx'; readonly gpuTool: string | null }
  | { readonly kind: 'modal'; readonly registrarUrl: string; readonly identityToken: Secret<'IdentityToken'> };

/** The source that the settings name, about this identity key. */
export function openEvidenceSource(input: {
  readonly settings: EvidenceSettings;
  readonly identityPublicKey: Uint8Array;
  /** The digest of the file that this worker is; null where it runs from its sources, which development alone allows. */
  readonly imageDigest: Uint8Array | null;
  readonly signPossession: (challenge: Bytes, purpose: PossessionPurpose) => Promise<Bytes>;
  readonly nowMs: () => number;
  readonly onProblem: (problem: EvidenceProblem) => void;
  readonly onReady: () => void;
}): EvidenceSource {
  const { settings, imageDigest } = input;
  if (settings.kind === 'development') return new DevelopmentSource(input.identityPublicKey);
  if (imageDigest === null) throw new Error('No evidence about a worker that runs from its sources.');
  if (settings.kind === 'modal') return new ModalSource({ ...settings, ...input, sign: input.signPossession });
  return new HardwareSource({
    ...input,
    imageDigest,
    machine: settings.kind === 'sev-snp' ? sevSnpCollector() : tdxCollector(),
    gpu: settings.gpuTool === null ? null : nvidiaGpuCollector(settings.gpuTool),
  });
}
