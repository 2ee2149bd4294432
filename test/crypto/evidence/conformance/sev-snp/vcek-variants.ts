import { caExtensions, extension } from '../../../../parts/evidence/vendors/certificate-maker.ts';
import {
  bitString,
  ia5String,
  integer,
  octetString,
  utf8String,
} from '../../../../parts/evidence/vendors/der-writer.ts';
import { components, extensionOf, machine, type Refusal, sibling, turin, type Variant } from './sev-snp-bench.ts';

/** Wrong statements of a chip's certificate about it. */
export const vceks: readonly Refusal[] = [
  ['a VCEK that names another product', 'wrong-machine', { vcekExtensions: { '2': ia5String('Milan-B0') } }],
  ['a VCEK of version 2 reports that names another product', 'chain', asOfVersion2()],
  ['a VCEK that names no product', 'malformed', { vcekExtensions: { '2': ia5String('Genoa-') } }],
  ['a VCEK that names an unknown product', 'malformed', { vcekExtensions: { '2': ia5String('Rome-B0') } }],
  ['a product name of another type', 'malformed', { vcekExtensions: { '2': utf8String('Genoa') } }],
  [
    'a product name with bytes behind it',
    'malformed',
    { vcekExtensions: { '2': Uint8Array.of(...ia5String('Genoa'), 0) } },
  ],
  ['a VCEK of another structure', 'malformed', { vcekExtensions: { '1': integer(1) } }],
  ['a Turin VCEK of the older structure', 'malformed', { on: turin, vcekExtensions: { '1': integer(0) } }],
  ['a Turin VCEK without FMC', 'malformed', { on: turin, vcekExtensions: { '3.9': null } }],
  ['a Turin VCEK of other FMC', 'wrong-machine', { on: turin, vcekExtensions: { '3.9': integer(3) } }],
  ['a VCEK with the name of a cloud provider', 'malformed', { vcekExtensions: { '5': ia5String('provider') } }],
  [
    'a VCEK with a cloud provider instead of a chip',
    'malformed',
    { vcekExtensions: { '4': null, '5': ia5String('x') } },
  ],
  ...['1', '2', '3.1', '3.2', '3.3', '3.4', '3.5', '3.6', '3.7', '3.8', '4'].map((arcs): Refusal => [
    `a VCEK without extension ${arcs}`,
    'malformed',
    { vcekExtensions: { [arcs]: null } },
  ]),
  ...components.flatMap((component): Refusal[] =>
    [-1, 1].map((difference) => [
      `a VCEK for another ${component} (${difference})`,
      'wrong-machine',
      { vcekExtensions: { [extensionOf[component]]: integer(machine.tcb[component] + difference) } },
    ]),
  ),
  ['a VCEK with a reserved component', 'wrong-machine', { vcekExtensions: { '3.5': integer(1) } }],
  ['a version above 255', 'malformed', { vcekExtensions: { '3.8': integer(256 + machine.tcb.microcode) } }],
  ['a negative version', 'malformed', { vcekExtensions: { '3.8': Uint8Array.of(2, 1, 0xdb) } }],
  ['a version with a needless zero', 'malformed', { vcekExtensions: { '3.1': Uint8Array.of(2, 2, 0, 4) } }],
  ['a version with bytes behind it', 'malformed', { vcekExtensions: { '3.1': Uint8Array.of(2, 1, 4, 0) } }],
  ['a version that is a text', 'malformed', { vcekExtensions: { '3.1': utf8String('4') } }],
  ['a version that is empty', 'malformed', { vcekExtensions: { '3.1': new Uint8Array() } }],
  ['a chip id of another chip', 'wrong-machine', { vcekExtensions: { '4': sibling.chipId } }],
  ['a chip id cut by a byte', 'malformed', { vcekExtensions: { '4': machine.chipId.slice(1) } }],
  ['a chip id in an OCTET STRING', 'malformed', { vcekExtensions: { '4': octetString(machine.chipId) } }],
  ['a chip id of Turin of 64 bytes', 'malformed', { on: turin, vcekExtensions: { '4': turin.chipId } }],
  [
    'the chip id twice',
    'malformed',
    { moreVcekExtensions: [extension('1.3.6.1.4.1.3704.1.4', false, machine.chipId)] },
  ],
  ['a VCEK that is an authority', 'chain', { moreVcekExtensions: caExtensions() }],
  ['a VCEK whose key may not sign', 'chain', { moreVcekExtensions: [keyUsage(0b0010_0000)] }],
  [
    'a VCEK with a critical extension that is not known',
    'chain',
    { moreVcekExtensions: [extension('1.2.3.4', true, octetString())] },
  ],
];

function asOfVersion2(): Variant {
  return { report: { version: 2, cpu: null }, vcekExtensions: { '2': ia5String('Milan-B0') } };
}

function keyUsage(bits: number) {
  return extension('2.5.29.15', true, bitString(Uint8Array.of(bits), 5));
}
