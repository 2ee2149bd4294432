import { describe, expect, test } from 'vitest';
import { testNowMs } from '../../../../parts/evidence/vendors/certificate-maker.ts';
import { type IntelChanges, makeIntelMachine, pceSvnOfStatus } from '../../../../parts/evidence/intel/intel-machine.ts';
import {
  type Acceptance,
  accepts,
  ask,
  dayMs,
  expected,
  machine,
  neighbour,
  refuses,
  stranger,
  v5,
  type Variant,
  vendor,
} from '../../../../parts/evidence/intel/tdx-conformance.ts';

const malformed = 'malformed: tdx';
const strangers = stranger.makeEvidence({ expected }).collateral;

describe('rating of the platform', () => {
  const outdated = 'outdated-firmware: tdx-firmware';
  const statuses = Object.entries(pceSvnOfStatus);
  refuses([
    ...statuses
      .slice(1)
      .map(([status, pceSvn]): Variant => [
        `a platform rated ${status}`,
        status === 'Revoked' ? 'revoked: tdx-firmware' : outdated,
        { sgx: { pceSvn } },
      ]),
    ['a platform below every level', outdated, { sgx: { pceSvn: 6 } }],
    ...[0, 1, 2, 3, 4, 5, 7].map((index): Variant => [
      `component ${index + 1} of the processor one too low`,
      outdated,
      { sgx: { componentSvns: [4, 4, 2, 2, 4, 1, 0, 5].map((svn, place) => (place === index ? svn - 1 : svn)) } },
    ]),
    ['a TDX component one too low', outdated, { report: { teeTcbSvn: '050105' } }],
    ['a TDX module rated OutOfDate', outdated, { report: { teeTcbSvn: '040106' } }],
    ['a TDX module rated Revoked', 'revoked: tdx-firmware', { report: { teeTcbSvn: '020106' } }],
    ['a TDX module below every level', 'outdated-firmware: tdx-module', { report: { teeTcbSvn: '010106' } }],
    ['a TDX module of an unknown major version', 'outdated-firmware: tdx-module', { report: { teeTcbSvn: '050206' } }],
    [
      'a TDX module that is listed twice',
      'outdated-firmware: tdx-module',
      { tcbInfo: (info) => info.tdxModuleIdentities.push(info.tdxModuleIdentities[1]!) },
    ],
    [
      'no TDX module identities',
      'outdated-firmware: tdx-module',
      { tcbInfo: (info) => Reflect.deleteProperty(info, 'tdxModuleIdentities') },
    ],
    [
      'a TDX module with another signer',
      'measurement: tdx-module',
      { tcbInfo: (info) => (info.tdxModuleIdentities[1]!.mrsigner = '01'.repeat(48)) },
    ],
    [
      'a TDX module with other attributes',
      'measurement: tdx-module',
      { tcbInfo: (info) => (info.tdxModuleIdentities[1]!.attributes = '0100000000000000') },
    ],
    ['TDX 1.0 with its first component too low', outdated, { report: { teeTcbSvn: '040006' } }],
    [
      'TDX 1.0 with another signer',
      'measurement: tdx-module',
      { report: { teeTcbSvn: '050006' }, tcbInfo: (info) => (info.tdxModule.mrsigner = '01'.repeat(48)) },
    ],
    [
      'TCB info of another family of processors',
      'wrong-machine: tdx-rating',
      { tcbInfo: (info) => (info.fmspc = 'B0C06F000000') },
    ],
    ['TCB info of another PCE', 'wrong-machine: tdx-rating', { tcbInfo: (info) => (info.pceId = '0001') }],
    ['a processor of another family', 'wrong-machine: tdx-rating', { sgx: { fmspc: 'b0c06f000000' } }],
    ['15 components in a level', malformed, { tcbInfo: (info) => info.tcbLevels[0]!.tcb.sgxtcbcomponents.pop() }],
    [
      '17 TDX components in a level',
      malformed,
      { tcbInfo: (info) => info.tcbLevels[0]!.tcb.tdxtcbcomponents.push({ svn: 0 }) },
    ],
    ['a component of 256', malformed, { tcbInfo: (info) => (info.tcbLevels[0]!.tcb.sgxtcbcomponents[0]!.svn = 256) }],
    [
      'a component that is negative',
      malformed,
      { tcbInfo: (info) => (info.tcbLevels[0]!.tcb.sgxtcbcomponents[0]!.svn = -1) },
    ],
    [
      'no TDX components',
      malformed,
      { tcbInfo: (info) => Reflect.deleteProperty(info.tcbLevels[0]!.tcb, 'tdxtcbcomponents') },
    ],
    [
      '65 levels',
      malformed,
      { tcbInfo: (info) => info.tcbLevels.push(...Array.from({ length: 58 }, () => info.tcbLevels[0]!)) },
    ],
    ['an FMSPC that is not hex', malformed, { tcbInfo: (info) => (info.fmspc = '90C06F00000G') }],
    ['another kind of TCB', malformed, { tcbInfo: (info) => (info.tcbType = 1) }],
  ]);
  accepts([
    ...statuses
      .slice(0, 4)
      .map(([status, pceSvn]): Acceptance => [
        `a platform rated ${status} where the policy does`,
        { sgx: { pceSvn } },
        { policy: { tcbStatuses: [status as 'UpToDate'] } },
      ]),
    [
      'versions above every level',
      { sgx: { pceSvn: 99, componentSvns: Array(16).fill(255) }, report: { teeTcbSvn: '0901ff' } },
    ],
    ['TDX 1.0, whose first component counts', { report: { teeTcbSvn: '050006' } }],
    [
      'a module whose first component is below that of the level',
      { tcbInfo: (info) => (info.tcbLevels[0]!.tcb.tdxtcbcomponents[0]!.svn = 9) },
    ],
    ['another major version with levels of its own', { report: { teeTcbSvn: '030306' } }],
    ['an FMSPC in small letters', { tcbInfo: (info) => (info.fmspc = info.fmspc.toLowerCase()) }],
  ]);
  test('a level is the first that all versions reach: one that is out of order does not count', async () => {
    const reversed: IntelChanges = { tcbInfo: (info) => info.tcbLevels.reverse() };
    expect(await ask(reversed)).toBe('revoked: tdx-firmware');
  });
});

describe('quoting enclave', () => {
  const step = 'tdx-quoting-enclave';
  refuses([
    ['a debug enclave', `debug: ${step}`, { qeReport: { attributes: '1700000000000000e7' } }],
    ['other attributes', `measurement: ${step}`, { qeReport: { attributes: '3500000000000000e7' } }],
    ['an enclave that was not initialised', `measurement: ${step}`, { qeReport: { attributes: '1400000000000000e7' } }],
    ['another MISCSELECT', `measurement: ${step}`, { qeReport: { miscSelect: '01000000' } }],
    ['another signer', `measurement: ${step}`, { qeReport: { mrSigner: 'dd'.repeat(32) } }],
    ['another product', `measurement: ${step}`, { qeReport: { isvProdId: '0100' } }],
    [
      'the quoting enclave of SGX',
      `measurement: ${step}`,
      { qeReport: { isvProdId: '0100', mrSigner: '8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff' } },
    ],
    ['a version that is OutOfDate', 'outdated-firmware: tdx-firmware', { qeReport: { isvSvn: '0500' } }],
    ['a version that is Revoked', 'revoked: tdx-firmware', { qeReport: { isvSvn: '0300' } }],
    ['a version below every level', `outdated-firmware: ${step}`, { qeReport: { isvSvn: '0200' } }],
    [
      'an identity of another signer',
      `measurement: ${step}`,
      { qeIdentity: (identity) => (identity.mrsigner = 'DD'.repeat(32)) },
    ],
    ['an identity with a mask too short', malformed, { qeIdentity: (identity) => (identity.attributesMask = 'FB') }],
    [
      'an identity without masks',
      malformed,
      { qeIdentity: (identity) => Reflect.deleteProperty(identity, 'miscselectMask') },
    ],
  ]);
  accepts([
    ['attributes that the mask leaves out', { qeReport: { attributes: '1100000000000000ff' } }],
    ['a later version', { qeReport: { isvSvn: '0001' } }],
    [
      'MISCSELECT bits that the mask leaves out',
      { qeReport: { miscSelect: '01000000' }, qeIdentity: (identity) => (identity.miscselectMask = 'FFFFFFFE') },
    ],
  ]);
});

describe('exchanges between machines', () => {
  const other = makeIntelMachine({ vendor, ca: 'processor', fmspc: 'b0c06f000000' });
  const mine = machine.makeEvidence({ expected });
  const others = other.makeEvidence({ expected });
  refuses([
    ['the collateral of a machine of another family', 'chain: tdx-certificate', {}, { collateral: others.collateral }],
    ["another machine's quote with my collateral", 'chain: tdx-certificate', {}, { quote: others.evidence.quote }],
    ['the collateral of another vendor', 'signature: tdx-certificate', {}, { collateral: strangers }],
    [
      "another vendor's quote with my collateral",
      'untrusted-root: tdx-certificate',
      {},
      { quote: stranger.makeEvidence({ expected }).evidence.quote },
    ],
    [
      "a neighbour's quote for another identity",
      'report-data: tdx-report-data',
      {},
      { quote: neighbour.makeEvidence({ expected: new Uint8Array(64) }).evidence.quote },
    ],
    [
      'a status that only another machine has',
      'outdated-firmware: tdx-firmware',
      {},
      { quote: neighbour.makeEvidence({ expected, sgx: { pceSvn: 12 } }).evidence.quote },
    ],
    [
      'the TCB info of another family alone',
      'wrong-machine: tdx-rating',
      {
        collateral: (all) => ({
          ...all,
          tcbInfo: others.collateral.tcbInfo,
          tcbInfoSignature: others.collateral.tcbInfoSignature,
        }),
      },
    ],
    ['a whole year later', 'expired: tdx-certificate', {}, { nowMs: testNowMs + 366 * dayMs }],
    ['two months later', 'outdated-collateral: tdx-certificate', {}, { nowMs: testNowMs + 60 * dayMs }],
    ['two years earlier', 'not-yet-valid: tdx-certificate', {}, { nowMs: testNowMs - 730 * dayMs }],
    ['a week earlier than the collateral', 'not-yet-valid: tdx-certificate', {}, { nowMs: testNowMs - 7 * dayMs }],
  ]);
  accepts([
    [
      "a neighbour's quote: the collateral is the family's",
      {},
      { quote: neighbour.makeEvidence({ expected }).evidence.quote },
    ],
    ['the same two pieces', {}, { quote: mine.evidence.quote, collateral: mine.collateral }],
    [
      'the machine of the other family with what is its own',
      {},
      { quote: others.evidence.quote, collateral: others.collateral },
    ],
    ['version 5 with the same collateral', v5, { collateral: mine.collateral }],
  ]);
});
