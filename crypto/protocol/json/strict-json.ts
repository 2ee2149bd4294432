import { decodeUtf8 } from '../bytes/bytes.ts';
import { CryptoError } from '../bytes/errors.ts';
import type { JsonBudget } from './json-budget.ts';
import { JsonScanner } from './json-scanner.ts';

/**
 * Reads JSON that has one meaning only and is within its budget (SPEC.md §1.4, M24). For messages whose bytes are not
 * signed; what is signed is canonical besides.
 *
 * The bytes are walked over before anything is built of them, so what is refused costs next to nothing.
 *
 * @throws {CryptoError} `malformed`.
 */
export function parseStrictJson(bytes: Uint8Array, budget: JsonBudget): unknown {
  const scanner = new JsonScanner(budget);
  scanner.push(bytes);
  scanner.end();
  return parseScannedJson(bytes);
}

/** Reads what a scanner has let pass. @throws {CryptoError} `malformed` for what is no JSON or no UTF-8 all the same. */
export function parseScannedJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new CryptoError('malformed');
  }
}
