import { minimumTcb, usualGuestPolicy } from '../../../../parts/evidence/amd/amd-machine.ts';
import { leafExtensions, pssIdentifier, testNowMs } from '../../../../parts/evidence/vendors/certificate-maker.ts';
import { ia5String } from '../../../../parts/evidence/vendors/der-writer.ts';
import {
  bothAlgorithms,
  machine,
  milan,
  olderProcessor,
  report,
  setBefore,
  sibling,
  turin,
  type Variant,
} from './sev-snp-bench.ts';

/** Every difference that is allowed, so that a refusal beside it is for its own reason. */
export const accepted: readonly (readonly [name: string, variant: Variant])[] = [
  ['a report of Genoa', {}],
  ['a report of Milan', { on: milan }],
  ['a report of Turin', { on: turin }],
  ['the chip next door, with its own certificate', { on: sibling }],
  ['version 2, without CPUID', { on: milan, report: { version: 2, cpu: null } }],
  ['version 4', report({ version: 4 })],
  ['version 5 with mitigation vectors', { ...report({ version: 5 }), ...setBefore(0x207) }],
  ['an author key with its digest', { ...report({ keyInfo: 1 }), ...setBefore(0x110) }],
  ['a stepping behind the name of the product', { vcekExtensions: { '2': ia5String('Genoa-B2') } }],
  ['a key usage that allows to sign', { moreVcekExtensions: leafExtensions() }],
  ['PSS parameters without trailer field', { vcek: { fault: bothAlgorithms(pssIdentifier({ withTrailer: false })) } }],
  ['a processor of a sibling model', report({ cpu: [0x19, 0xa0, 2] })],
  ['level 1 where the client allows it', { ...report({ vmpl: 1 }), policy: { maximumVmpl: 1 } }],
  ['every version at its minimum', asAtMinimum()],
  ['current firmware above the reported', report({ currentTcb: { ...machine.tcb, microcode: 255 } })],
  ['the highest version that there is', asNewest()],
  ['launched with newer firmware than reported', report({ launchTcb: { ...machine.tcb, snp: 25 } })],
  ['no shared cores', { ...noSmt(), policy: { allowSmt: false } }],
  ['shared cores allowed, but off', report({ platformInfo: 0 })],
  ['stricter guest policies', report({ guestPolicy: usualGuestPolicy | (0b11_1111n << 20n) })],
  ['an older interface', report({ guestPolicy: 0x3_001fn })],
  ['a revocation list with others on it', { revocationList: {} }],
  ['a revocation list with nobody on it', { revocationList: { revoked: [] } }],
  ["the root's list with the VCEK's serial number on it", { revocationList: { revoked: [0] } }],
  ['valid until this very second', { vcek: { notAfter: testNowMs, notBefore: testNowMs } }],
];

function asAtMinimum(): Variant {
  const tcb = { ...minimumTcb, firmware: 0 };
  return { ...olderProcessor(tcb), report: { reportedTcb: tcb, committedTcb: tcb, launchTcb: tcb } };
}
function asNewest(): Variant {
  const tcb = { ...machine.tcb, microcode: 255 };
  return { ...olderProcessor(tcb), report: { reportedTcb: tcb, currentTcb: tcb } };
}
function noSmt(): Variant {
  return report({ guestPolicy: usualGuestPolicy & ~(1n << 16n), platformInfo: 0 });
}
