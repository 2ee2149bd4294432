import { equalBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import type { HeadMark } from '../../../crypto/vault/vault-head.ts';
import type { RememberedHead, VaultMark } from './cached-shapes.ts';

/** The memory of a mark's account. A head that a sign-in brought takes the place of none that it was not followed from. */
export function rememberedOf({ head, floor }: Pick<VaultMark, 'head' | 'floor'>): RememberedHead {
  const { counter, hash } = floor ?? head;
  const shownCounter = Math.max(head.counter, floor?.shownCounter ?? 0);
  return shownCounter > counter ? { counter, hash, shownCounter } : { counter, hash };
}

/**
 * Compares a head that the relay shows with what this browser remembers of the same account (M8, M16). A newer one is no
 * reason for alarm: the next sync follows the chain to it.
 */
export function compareRemembered(
  known: RememberedHead,
  shown: HeadMark,
): 'vault-rolled-back' | 'vault-tampered' | null {
  if (shown.counter < Math.max(known.counter, known.shownCounter ?? 0)) return 'vault-rolled-back';
  if (shown.counter > known.counter) return null;
  return equalBytes(known.hash, shown.hash) ? null : 'vault-tampered';
}
