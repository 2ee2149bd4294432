import type { Bytes } from '../../protocol/bytes/bytes.ts';
import type { VerificationStep } from './evidence-step.ts';

/** A verifier of hardware evidence gets this beside its own piece. */
export type MachineInput<Item, Collateral, Section> = {
  readonly evidence: Item;
  readonly collateral: Collateral;
  readonly policy: Section;
  /** The hardware must have signed this (SPEC.md §9.5). */
  readonly expected: Bytes;
  readonly nowMs: number;
  /** Each check adds its line as soon as it has passed. */
  readonly steps: VerificationStep[];
};

/** The measurement as the release list has it: hex, for TDX MRTD and the four RTMRs joined by a blank. */
export type MachineFinding = { readonly measurement: string };
