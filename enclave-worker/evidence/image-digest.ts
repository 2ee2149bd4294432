import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * SHA-256 of the one file that this worker is, or null where it runs from its sources (SPEC.md §9.5).
 *
 * In the bundle every module is the main one, so this one is too; among the sources it never is.
 */
export function readImageDigest(): Uint8Array<ArrayBuffer> | null {
  if (!import.meta.main) return null;
  return Uint8Array.from(
    createHash('sha256')
      .update(readFileSync(import.meta.filename))
      .digest(),
  );
}
