import type { CollateralNeed } from '../../protocol/messages/evidence-messages.ts';
import type { Bytes } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import type { Certificate } from '../x509/certificate.ts';
import { parsePckChain, readPckExtensions } from './pck-certificate.ts';
import { parseQuote } from './quote.ts';

export const authorityNames = {
  platform: 'Intel SGX PCK Platform CA',
  processor: 'Intel SGX PCK Processor CA',
} as const;

/**
 * Names what must be fetched from Intel so that a client can verify this quote (SPEC.md §9.8).
 *
 * @throws {CryptoError} `malformed`.
 * @throws {EvidenceRefused} `unsupported`.
 */
export function readTdxCollateralNeed(quote: Bytes): Extract<CollateralNeed, { kind: 'tdx' }> {
  const [pck, authority] = parsePckChain(parseQuote(quote).pckChain);
  const ca = nameAuthority(authority);
  if (ca === null) throw new CryptoError('malformed');
  return { kind: 'tdx', fmspc: readPckExtensions(pck).fmspc, ca };
}

/** Which of Intel's two authorities for processors' keys this is; null: neither. */
export function nameAuthority({ subjectCommonName }: Certificate): 'platform' | 'processor' | null {
  if (subjectCommonName === authorityNames.platform) return 'platform';
  return subjectCommonName === authorityNames.processor ? 'processor' : null;
}
