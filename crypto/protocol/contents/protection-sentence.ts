import type { MachineKind } from '../messages/evidence-messages.ts';
import type { ProtectionLevel } from '../protection-level.ts';

/*
 * A reply's `protection` says what vouched for its enclave, in an English sentence that SPEC.md §5.1 freezes. A reader takes it
 * as a key to its own words, in any language. Only a reader that does not know it shows it as it is.
 */

/** A protection sentence says this much of what vouched for an enclave. */
export type ProtectionClaim = {
  readonly kind: MachineKind;
  readonly level: ProtectionLevel;
  /** The version of the release; null where nobody measured one. */
  readonly release: string | null;
};

/** A reader takes it so: a sentence that is none of the frozen ones stays text. */
export type StoredProtection = ProtectionClaim | { readonly text: string };

const fixed: readonly { readonly claim: ProtectionClaim; readonly sentence: string }[] = [
  {
    claim: { kind: 'development', level: 'any', release: null },
    sentence: 'No protection from whoever runs this machine.',
  },
  {
    claim: { kind: 'modal', level: 'stated', release: null },
    sentence:
      'The operator of this service states that the model runs on Modal. The operator and Modal could read your messages.',
  },
];

const vendors = { 'sev-snp': 'AMD', tdx: 'Intel' } as const;
const gpuEnd = ', and the GPU is genuine, in confidential mode.';
const measured =
  /^(AMD|Intel) hardware signed that measured software ([0-9A-Za-z][0-9A-Za-z.+-]{0,63}) runs here, and \2 is in the release list(\.|, and the GPU is genuine, in confidential mode\.)$/;

/** The frozen sentence of a claim (SPEC.md §5.1). @returns `''` for one that no sentence says. */
export function writeProtection({ kind, level, release }: ProtectionClaim): string {
  if (kind === 'development' || kind === 'modal') {
    return fixed.find(({ claim }) => claim.kind === kind && claim.level === level)?.sentence ?? '';
  }
  if (release === null || (level !== 'hardware' && level !== 'hardware-gpu')) return '';
  const start = `${vendors[kind]} hardware signed that measured software ${release} runs here, and ${release} is in the release list`;
  return `${start}${level === 'hardware-gpu' ? gpuEnd : '.'}`;
}

/** The claim of a frozen sentence; null for any other text. */
export function readProtection(sentence: string): ProtectionClaim | null {
  const known = fixed.find((each) => each.sentence === sentence);
  if (known !== undefined) return known.claim;
  const [, vendor, release, end] = measured.exec(sentence) ?? [];
  if (vendor === undefined || release === undefined) return null;
  return {
    kind: vendor === vendors.tdx ? 'tdx' : 'sev-snp',
    level: end === gpuEnd ? 'hardware-gpu' : 'hardware',
    release,
  };
}

/** The protection that a stored reply names; null where it names none. */
export function readStoredProtection(sentence: string): StoredProtection | null {
  return sentence === '' ? null : (readProtection(sentence) ?? { text: sentence });
}
