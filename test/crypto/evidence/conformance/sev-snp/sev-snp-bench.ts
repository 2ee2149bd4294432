import {
  EvidenceRefused,
  type RefusalCode,
  type VerificationStep,
} from '../../../../../crypto/evidence/policy/evidence-step.ts';
import type { SevSnpPolicy } from '../../../../../crypto/evidence/policy/policy.ts';
import { verifySevSnp } from '../../../../../crypto/evidence/sev-snp/verify-sev-snp.ts';
import type { SevSnpCollateral } from '../../../../../crypto/protocol/messages/evidence-messages.ts';
import {
  type AmdMachine,
  makeAmdMachine,
  minimumTcb,
  type ReportFields,
  type SnpFaults,
  type Tcb,
} from '../../../../parts/evidence/amd/amd-machine.ts';
import { makeKeys, testNowMs } from '../../../../parts/evidence/vendors/certificate-maker.ts';
import { integer } from '../../../../parts/evidence/vendors/der-writer.ts';

export const machine = makeAmdMachine('Genoa');
export const sibling = makeAmdMachine('Genoa');
export const milan = makeAmdMachine('Milan');
export const turin = makeAmdMachine('Turin');
export const expected = new Uint8Array(64).map((_, index) => index + 1);
export const strangers = { rsa: makeKeys('rsa'), p384: makeKeys('p384'), p256: makeKeys('p256') };

/** One answer: what the machine does otherwise, what happens on the way, what the client asks for. */
export type Variant = SnpFaults & {
  readonly on?: AmdMachine;
  readonly reportBytes?: (report: Uint8Array<ArrayBuffer>) => Uint8Array;
  readonly collateral?: (collateral: SevSnpCollateral) => SevSnpCollateral;
  readonly policy?: Partial<SevSnpPolicy>;
  /** The client expects this, in place of what the report was made for. */
  readonly asked?: Uint8Array<ArrayBuffer>;
  readonly nowMs?: number;
};
export type Refusal = readonly [name: string, code: RefusalCode, variant: Variant];

/** Makes the input of the verifier. */
export function prepare(variant: Variant): Omit<Parameters<typeof verifySevSnp>[0], 'steps'> {
  const { on = machine } = variant;
  const made = on.makeEvidence({ ...variant, expected });
  const report = Uint8Array.from(Buffer.from(made.evidence.report, 'base64url'));
  return {
    evidence: {
      kind: 'sev-snp',
      identityPublicKey: '',
      freshness: '',
      notAfterMs: 0,
      imageDigest: '',
      report: text(variant.reportBytes?.(report) ?? report),
    },
    collateral: variant.collateral?.(made.collateral) ?? made.collateral,
    policy: { ...on.policy, ...variant.policy },
    expected: variant.asked ?? expected,
    nowMs: variant.nowMs ?? testNowMs,
  };
}

/** @returns the measurement or the code of the refusal; a crash is no refusal and is thrown on. */
export async function verify(
  variant: Variant,
): Promise<{ result: string; steps: VerificationStep[]; failed: VerificationStep | null }> {
  const steps: VerificationStep[] = [];
  try {
    const finding = await verifySevSnp({ ...prepare(variant), steps });
    return { result: finding.measurement, steps, failed: null };
  } catch (error) {
    if (!(error instanceof EvidenceRefused)) throw error;
    return { result: error.code, steps, failed: error.step };
  }
}

export const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

export const flip =
  (offset: number, mask = 1) =>
  (bytes: Uint8Array<ArrayBuffer>) => {
    bytes[offset]! ^= mask;
    return bytes;
  };
export const cut = (bytes: Uint8Array) => bytes.slice(0, -1);
export const extend = (bytes: Uint8Array) => Uint8Array.of(...bytes, 0);

export function withByte(bytes: Uint8Array, index: number): Uint8Array<ArrayBuffer> {
  const changed = Uint8Array.from(bytes);
  changed[index]! ^= 0x80;
  return changed;
}

/** One byte of the report, before it is signed. */
export const setBefore = (offset: number, value = 1) => ({
  beforeSigning: (report: DataView) => report.setUint8(offset, value),
});
export const report = (fields: Partial<ReportFields>) => ({ report: fields });

/** Edits one piece of the collateral on its way. */
export const change =
  (name: 'vcek' | 'ask' | 'ark' | 'revocationList', edit: (der: Uint8Array<ArrayBuffer>) => Uint8Array) =>
  (collateral: SevSnpCollateral): SevSnpCollateral => ({
    ...collateral,
    [name]: text(edit(Uint8Array.from(Buffer.from(collateral[name] ?? '', 'base64url')))),
  });

export const components = ['bootLoader', 'tee', 'snp', 'microcode'] as const;
export const extensionOf = { bootLoader: '3.1', tee: '3.2', snp: '3.3', microcode: '3.8' } as const;
export const lower = (component: keyof typeof minimumTcb): Tcb => ({
  ...machine.tcb,
  [component]: minimumTcb[component] - 1,
});
/** An older processor, with the certificate that AMD would give it. */
export const olderProcessor = (tcb: Tcb): Variant => ({
  report: { reportedTcb: tcb },
  vcekExtensions: Object.fromEntries(components.map((name) => [extensionOf[name], integer(tcb[name])])),
});

export function bothAlgorithms(identifier: Uint8Array<ArrayBuffer>) {
  return { innerAlgorithm: identifier, outerAlgorithm: identifier };
}
