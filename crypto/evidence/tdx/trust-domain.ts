import { type Bytes, equalBytes } from '../../protocol/bytes/bytes.ts';
import { refuse } from '../policy/evidence-step.ts';
import type { TdReport } from './quote.ts';

const check = 'tdx-domain';

/** Bits of TD attributes (Intel TDX Module 1.5 ABI, ATTRIBUTES). */
const underDebug = 0xffn;
const septVeDisable = 1n << 28n;
const migratable = 1n << 29n;
/** Protection keys and performance counters: the trust domain's own affair. */
const harmless = (1n << 30n) | (1n << 63n);
/** Bits of XFAM: x87 and SSE are always on; the rest are register states that a processor may have (same ABI, XFAM). */
const xfamAlways = 0x3n;
const xfamPossible = 0x6dbe7n;

/**
 * Checks that nothing but the measured software has a say in the trust domain.
 *
 * @throws {EvidenceRefused} `debug`, `migration`, `guest-policy`.
 */
export function checkTrustDomain(report: TdReport): void {
  const attributes = readUint64(report.tdAttributes);
  if ((attributes & underDebug) !== 0n) refuse('debug', check, 'memory-open');
  if ((attributes & migratable) !== 0n) refuse('migration', check, 'may-be-moved');
  if ((attributes & septVeDisable) === 0n) {
    refuse('guest-policy', check, 'pages-may-go');
  }
  if ((attributes & ~(septVeDisable | harmless)) !== 0n) {
    refuse('guest-policy', check, 'attributes-unknown');
  }
  const xfam = readUint64(report.xfam);
  if ((xfam & xfamAlways) !== xfamAlways || (xfam & ~xfamPossible) !== 0n) {
    refuse('guest-policy', check, 'features-unknown');
  }
  if (!isZero(report.seamAttributes)) refuse('debug', check, 'module-not-for-production');
  // Set by the host, free of meaning for our image: what is not expected could only be there to be mistaken for something.
  if (!isZero(report.mrConfigId) || !isZero(report.mrOwner) || !isZero(report.mrOwnerConfig)) {
    refuse('guest-policy', check, 'owner-or-configuration');
  }
  if (report.mrServiceTd !== null && !isZero(report.mrServiceTd)) {
    refuse('migration', check, 'service-domain');
  }
}

function isZero(bytes: Bytes): boolean {
  return equalBytes(bytes, new Uint8Array(bytes.length));
}

function readUint64(bytes: Bytes): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
}
