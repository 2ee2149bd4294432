import { describe } from 'vitest';
import { caExtensions, testNowMs } from '../../../../parts/evidence/vendors/certificate-maker.ts';
import type { IntelChanges, QeIdentitySample, TcbInfoSample } from '../../../../parts/evidence/intel/intel-machine.ts';
import {
  accepts,
  dayMs,
  expected,
  flipAt,
  machine,
  refuses,
  stranger,
  vendor,
} from '../../../../parts/evidence/intel/tdx-conformance.ts';

const malformed = 'malformed: tdx';
const iso = (timeMs: number) => `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
const flip = (text: string) =>
  Buffer.from(flipAt(9)(Uint8Array.from(Buffer.from(text, 'base64url')))).toString('base64url');
type Document = TcbInfoSample | QeIdentitySample;

/** Intel's two documents, and the names of what belongs to them. */
const documents = [
  {
    name: 'TCB info',
    step: 'tdx-rating',
    change: (change: (document: Document) => unknown): IntelChanges => ({ tcbInfo: change }),
    text: (change: (text: string) => string): IntelChanges => ({ tcbInfoText: change }),
    members: { text: 'tcbInfo', signature: 'tcbInfoSignature', chain: 'tcbInfoIssuerChain' },
  },
  {
    name: 'QE identity',
    step: 'tdx-quoting-enclave',
    change: (change: (document: Document) => unknown): IntelChanges => ({ qeIdentity: change }),
    text: (change: (text: string) => string): IntelChanges => ({ qeIdentityText: change }),
    members: { text: 'qeIdentity', signature: 'qeIdentitySignature', chain: 'qeIdentityIssuerChain' },
  },
] as const;
const strangers = stranger.makeEvidence({ expected }).collateral;

describe.each(documents)('$name', ({ step, change, text, members }) => {
  const set = (values: object) => change((document) => Object.assign(document, values));
  const chainOf = (chain: (chain: readonly string[]) => readonly string[]): IntelChanges => ({
    collateral: (all) => ({ ...all, [members.chain]: chain(all[members.chain]) }),
  });
  refuses([
    [
      'a text changed after it was signed',
      `signature: ${step}`,
      { collateral: (all) => ({ ...all, [members.text]: all[members.text].replace('UpToDate', 'Uptodate') }) },
    ],
    [
      'a changed signature',
      `signature: ${step}`,
      { collateral: (all) => ({ ...all, [members.signature]: flip(all[members.signature]) }) },
    ],
    [
      'the signature of the other document',
      `signature: ${step}`,
      {
        collateral: (all) => ({
          ...all,
          [members.signature]:
            members.signature === 'tcbInfoSignature' ? all.qeIdentitySignature : all.tcbInfoSignature,
        }),
      },
    ],
    [
      'a document of another vendor',
      `signature: ${step}`,
      {
        collateral: (all) => ({
          ...all,
          [members.text]: strangers[members.text],
          [members.signature]: strangers[members.signature],
        }),
      },
    ],
    [
      'a document and chain of another vendor',
      `untrusted-root: ${step}`,
      {
        collateral: (all) => ({
          ...all,
          [members.text]: strangers[members.text],
          [members.signature]: strangers[members.signature],
          [members.chain]: strangers[members.chain],
        }),
      },
    ],
    [
      "a chain of the processor's authority",
      `chain: ${step}`,
      { collateral: (all) => ({ ...all, [members.chain]: all.pckCrlIssuerChain }) },
    ],
    ['a chain in the wrong order', `chain: ${step}`, chainOf((chain) => chain.toReversed())],
    ['a chain without its root', `chain: ${step}`, chainOf((chain) => chain.slice(0, 1))],
    ['a chain of the root alone', `chain: ${step}`, chainOf((chain) => chain.slice(1))],
    ['a chain with one certificate more', `chain: ${step}`, chainOf((chain) => [...chain, chain[1]!])],
    [
      'a certificate with a trailing byte',
      malformed,
      chainOf(([signer, root]) => [
        `${Buffer.from([...Buffer.from(signer!, 'base64url'), 0]).toString('base64url')}`,
        root!,
      ]),
    ],
    ['a document of tomorrow', `not-yet-valid: ${step}`, set({ issueDate: iso(testNowMs + dayMs) })],
    ['a document that is out of date', `outdated-collateral: ${step}`, set({ nextUpdate: iso(testNowMs - 1000) })],
    ['an evaluation before the least accepted', `outdated-collateral: ${step}`, set({ tcbEvaluationDataNumber: 17 })],
    ['a date without a zone', malformed, set({ nextUpdate: iso(testNowMs + dayMs).slice(0, -1) })],
    ['a date with a fraction', malformed, set({ nextUpdate: new Date(testNowMs + dayMs).toISOString() })],
    ['a date that is none', malformed, set({ nextUpdate: '2999-02-30T00:00:00Z' })],
    ['another version', malformed, set({ version: 4 })],
    ['a version that is a text', malformed, set({ version: '3' })],
    ['a document for SGX', malformed, set({ id: members.text === 'tcbInfo' ? 'SGX' : 'QE' })],
    ['no levels', malformed, set({ tcbLevels: [] })],
    ['an unknown status', malformed, change((document) => (document.tcbLevels[0]!.tcbStatus = 'Fine'))],
    ['a status in other letters', malformed, change((document) => (document.tcbLevels[0]!.tcbStatus = 'uptodate'))],
    [
      'a level without status',
      malformed,
      change((document) => Reflect.deleteProperty(document.tcbLevels[0]!, 'tcbStatus')),
    ],
    ['a duplicate member', malformed, text((json) => json.replace('{', '{"version":1,'))],
    [
      'a duplicate member that says the same',
      malformed,
      text((json) => json.replace('{', `{${/"version":\d/.exec(json)![0]},`)),
    ],
    [
      'a duplicate status in a level',
      malformed,
      text((json) => json.replace('"tcbStatus":"Revoked"', '"tcbStatus":"Revoked","tcbStatus":"UpToDate"')),
    ],
    ['white space', malformed, text((json) => json.replace(',', ', '))],
    ['a trailing line feed', malformed, text((json) => `${json}\n`)],
    ['a trailing blank', malformed, text((json) => `${json} `)],
    ['a letter outside ASCII', malformed, text((json) => json.replace('{', '{"é":1,'))],
    ['a byte order mark', malformed, text((json) => `\uFEFF${json}`)],
    ['an escaped letter', malformed, text((json) => json.replace('"id"', String.raw`"\u0069d"`))],
    ['a number in another spelling', malformed, text((json) => json.replace('Number":18', 'Number":18.0'))],
    ['a second document behind it', malformed, text((json) => json + json)],
    ['half a document', malformed, text((json) => json.slice(0, -1))],
    ['no document', malformed, text(() => '[]')],
    ['brackets 60,000 deep', malformed, text(() => '['.repeat(60_000) + ']'.repeat(60_000))],
  ]);
  accepts([
    ['a member that a later Intel adds', set({ later: { than: 'this' } })],
    ['a document that was issued this second', set({ issueDate: iso(testNowMs) })],
    ['a document that ends this second', set({ nextUpdate: iso(testNowMs) })],
    ['a later evaluation', set({ tcbEvaluationDataNumber: 19 })],
  ]);
});

describe('signing key', () => {
  const step = 'tdx-rating';
  const signing = (request: object): IntelChanges => ({ certificates: { signing: request } });
  refuses([
    ['an expired signing key', `expired: ${step}`, signing({ notAfter: testNowMs - 1000 })],
    ['a signing key of tomorrow', `not-yet-valid: ${step}`, signing({ notBefore: testNowMs + dayMs })],
    ['a signing key of another name', `chain: ${step}`, signing({ subject: 'Intel SGX PCK Certificate' })],
    ['a signing key that is an authority', `chain: ${step}`, signing({ extensions: caExtensions() })],
    ['a signing key signed by a stranger', `chain: ${step}`, signing({ signer: stranger.vendor.root })],
    [
      'a signing key certified by the processors’ authority',
      `chain: ${step}`,
      signing({ issuer: 'Intel SGX PCK Platform CA', signer: vendor.platform }),
    ],
    ["documents signed by a processor's key", `signature: ${step}`, { documentSigner: machine.keys.pck }],
    ['documents signed by the root', `signature: ${step}`, { documentSigner: vendor.root }],
  ]);
});
