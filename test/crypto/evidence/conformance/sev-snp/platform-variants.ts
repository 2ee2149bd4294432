import { usualGuestPolicy } from '../../../../parts/evidence/amd/amd-machine.ts';
import { integer } from '../../../../parts/evidence/vendors/der-writer.ts';
import {
  components,
  expected,
  lower,
  machine,
  milan,
  olderProcessor,
  type Refusal,
  report,
  sibling,
  turin,
  withByte,
} from './sev-snp-bench.ts';

/** Faults of the processor, the purpose and the asker. */
export const machines: readonly Refusal[] = [
  ['a report of another chip, signed by this one', 'wrong-machine', report({ chipId: sibling.chipId })],
  ['a chip id that the host masks', 'wrong-machine', report({ chipId: new Uint8Array(64) })],
  ['a long chip id on Turin', 'wrong-machine', { on: turin, ...report({ chipId: withByte(turin.chipId, 8) }) }],
  ['a masked chip id on Turin', 'wrong-machine', { on: turin, ...report({ chipId: new Uint8Array(64) }) }],
  ['a processor of another product', 'wrong-machine', report({ cpu: [0x19, 0x01, 0] })],
  ['a processor of no known model', 'unsupported', report({ cpu: [0x19, 0x20, 0] })],
  ['a processor of no known family', 'unsupported', report({ cpu: [0x17, 0x31, 0] })],
  ['a report for other data', 'report-data', { asked: new Uint8Array(64) }],
  ...[0, 31, 63].map((index): Refusal => [
    `a report for data that differ in byte ${index}`,
    'report-data',
    { asked: withByte(expected, index) },
  ]),
  ['a report asked for from level 1', 'privilege-level', report({ vmpl: 1 })],
  ['a report asked for from level 3', 'privilege-level', { ...report({ vmpl: 3 }), policy: { maximumVmpl: 2 } }],
  [
    'a report asked for by the host',
    'privilege-level',
    { ...report({ vmpl: 0xffff_ffff }), policy: { maximumVmpl: 3 } },
  ],
];

/** Firmware that is too old or contradicts itself. */
export const firmwares: readonly Refusal[] = [
  ...components.flatMap((component): Refusal[] => [
    [`reported ${component} below the minimum`, 'outdated-firmware', olderProcessor(lower(component))],
    [`committed ${component} below the minimum`, 'outdated-firmware', report({ committedTcb: lower(component) })],
    [`${component} below the minimum at launch`, 'outdated-firmware', report({ launchTcb: lower(component) })],
    [
      `current ${component} below the reported`,
      'outdated-firmware',
      report({ currentTcb: { ...machine.tcb, [component]: machine.tcb[component] - 1 } }),
    ],
    [
      `committed ${component} above the current`,
      'outdated-firmware',
      report({ committedTcb: { ...machine.tcb, [component]: machine.tcb[component] + 1 } }),
    ],
  ]),
  [
    'a lower component that a higher one should make up for',
    'outdated-firmware',
    olderProcessor({ ...lower('bootLoader'), snp: machine.tcb.snp, microcode: machine.tcb.microcode }),
  ],
  ['a committed interface above the current', 'outdated-firmware', report({ committedAbi: [0, 56, 1] })],
  [
    'an FMC below the minimum on Turin',
    'outdated-firmware',
    { on: turin, report: { reportedTcb: { ...turin.tcb, firmware: 0 } }, vcekExtensions: { '3.9': integer(0) } },
  ],
  ['a product for which the policy has no minimum', 'unsupported', { policy: { minimumTcb: milan.policy.minimumTcb } }],
];

/** Policies by which the guest allows its host too much. */
export const guests: readonly Refusal[] = [
  ['a guest that may be debugged', 'debug', report({ guestPolicy: usualGuestPolicy | (1n << 19n) })],
  ['a guest that may be migrated', 'migration', report({ guestPolicy: usualGuestPolicy | (1n << 18n) })],
  ['a guest with a migration agent', 'migration', report({ migrationAgentId: new Uint8Array(32).fill(0xfe) })],
  ['a guest with a migration agent of zeros', 'migration', report({ migrationAgentId: new Uint8Array(32) })],
  [
    'a policy without the bit that is always one',
    'guest-policy',
    report({ guestPolicy: usualGuestPolicy & ~(1n << 17n) }),
  ],
  ...[26n, 31n, 32n, 63n].map((bit): Refusal => [
    `a policy with reserved bit ${bit}`,
    'guest-policy',
    report({ guestPolicy: usualGuestPolicy | (1n << bit) }),
  ]),
  ['a policy that asks for a newer minor interface', 'guest-policy', report({ guestPolicy: usualGuestPolicy + 1n })],
  ['a policy that asks for a newer major interface', 'guest-policy', report({ guestPolicy: 0x3_0200n })],
  ['shared cores where the client allows none', 'guest-policy', { policy: { allowSmt: false } }],
  [
    'shared cores that the guest does not allow',
    'guest-policy',
    report({ guestPolicy: usualGuestPolicy & ~(1n << 16n) }),
  ],
];
