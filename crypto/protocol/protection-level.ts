import * as v from 'valibot';

/** Levels of what vouches for an enclave, from nothing to everything; a person's own minimum is one of these (SPEC.md §9.4). */
export const protectionLevels = ['any', 'stated', 'hardware', 'hardware-gpu'] as const;
export const protectionLevel = v.picklist(protectionLevels);
export type ProtectionLevel = (typeof protectionLevels)[number];

/** Below 0 where the first offers less than the second, above 0 where it offers more. */
export function compareLevels(a: ProtectionLevel, b: ProtectionLevel): number {
  return protectionLevels.indexOf(a) - protectionLevels.indexOf(b);
}

/** True if an enclave of this level offers what a minimum asks for. */
export function isAtLeast(level: ProtectionLevel, minimum: ProtectionLevel): boolean {
  return compareLevels(level, minimum) >= 0;
}

export function higherLevel(a: ProtectionLevel, b: ProtectionLevel): ProtectionLevel {
  return isAtLeast(a, b) ? a : b;
}
