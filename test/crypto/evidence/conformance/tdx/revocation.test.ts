import { describe } from 'vitest';
import {
  caExtensions,
  extension,
  makeCertificate,
  makeRevocationList,
  testNowMs,
} from '../../../../parts/evidence/vendors/certificate-maker.ts';
import { integer } from '../../../../parts/evidence/vendors/der-writer.ts';
import { type IntelChanges, intelSerials } from '../../../../parts/evidence/intel/intel-machine.ts';
import {
  accepts,
  dayMs,
  expected,
  flipAt,
  refuses,
  stranger,
  type Variant,
  vendor,
} from '../../../../parts/evidence/intel/tdx-conformance.ts';

const step = 'tdx-certificate';
const malformed = 'malformed: tdx';
const base64Url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

describe('revocation', () => {
  const list = (which: 'rootCaCrl' | 'pckCrl', change: NonNullable<IntelChanges['pckCrl']>): IntelChanges => ({
    [which]: change,
  });
  const past = { thisUpdate: testNowMs - 30 * dayMs, nextUpdate: testNowMs - 1000 };
  const future = { thisUpdate: testNowMs + 1000 };
  const lists = [
    ['rootCaCrl', "the root's list"],
    ['pckCrl', "the authority's list"],
  ] as const;
  const strangers = stranger.makeEvidence({ expected }).collateral;
  const emptyOf = (issuer: string, signer = vendor.platform) => base64Url(makeRevocationList({ issuer, signer }));
  refuses([
    ['a revoked processor key', `revoked: ${step}`, list('pckCrl', { revoked: [9001, intelSerials.pck] })],
    ['a revoked authority', `revoked: ${step}`, list('rootCaCrl', { revoked: [intelSerials.authority] })],
    ['a revoked signing key', 'revoked: tdx-rating', list('rootCaCrl', { revoked: [intelSerials.signing] })],
    ...lists.flatMap(([which, name]): Variant[] => [
      [`${name}, out of date`, `outdated-collateral: ${step}`, list(which, past)],
      [`${name}, of the future`, `not-yet-valid: ${step}`, list(which, future)],
      [`${name}, signed by a stranger`, `signature: ${step}`, list(which, { signer: stranger.vendor.root })],
      [`${name}, changed after it was signed`, `signature: ${step}`, list(which, { fault: { signature: flipAt(20) } })],
      [`${name} of another issuer`, `chain: ${step}`, list(which, { issuer: 'Intel SGX PCK Processor CA' })],
      [
        `${name} with a critical extension`,
        malformed,
        list(which, { extensions: [extension('2.5.29.27', true, integer(1))] }),
      ],
      [`${name} with a trailing byte`, malformed, { collateral: (all) => ({ ...all, [which]: `${all[which]}AA` }) }],
      [
        `${name} of another vendor`,
        `signature: ${step}`,
        { collateral: (all) => ({ ...all, [which]: strangers[which] }) },
      ],
    ]),
    [
      'the two lists exchanged',
      `chain: ${step}`,
      { collateral: (all) => ({ ...all, rootCaCrl: all.pckCrl, pckCrl: all.rootCaCrl }) },
    ],
    ["the root's list twice", `chain: ${step}`, { collateral: (all) => ({ ...all, pckCrl: all.rootCaCrl }) }],
    ["the authority's list twice", `chain: ${step}`, { collateral: (all) => ({ ...all, rootCaCrl: all.pckCrl }) }],
    [
      'the list of the other authority',
      `chain: ${step}`,
      { collateral: (all) => ({ ...all, pckCrl: emptyOf('Intel SGX PCK Processor CA', vendor.processor) }) },
    ],
    [
      'an authority that may sign no lists',
      `chain: ${step}`,
      { certificates: { authority: { extensions: onlyCertificates() } } },
    ],
    [
      "another chain beside the authority's list",
      `chain: ${step}`,
      { collateral: (all) => ({ ...all, pckCrlIssuerChain: strangers.pckCrlIssuerChain }) },
    ],
    [
      "the signing key's chain beside the list",
      `chain: ${step}`,
      { collateral: (all) => ({ ...all, pckCrlIssuerChain: all.tcbInfoIssuerChain }) },
    ],
    [
      'a chain without root beside the list',
      `chain: ${step}`,
      { collateral: (all) => ({ ...all, pckCrlIssuerChain: all.pckCrlIssuerChain.slice(0, 1) }) },
    ],
    ['no chain beside the list', `chain: ${step}`, { collateral: (all) => ({ ...all, pckCrlIssuerChain: [] }) }],
    [
      'an authority of the same key and another name beside the list',
      `chain: ${step}`,
      {
        collateral: (all) => ({ ...all, pckCrlIssuerChain: [authorityAnew('Any CA', 777), all.pckCrlIssuerChain[1]!] }),
      },
    ],
    [
      'a revoked certificate of the authority beside the list',
      `revoked: ${step}`,
      {
        rootCaCrl: { revoked: [777] },
        collateral: (all) => ({
          ...all,
          pckCrlIssuerChain: [authorityAnew('Intel SGX PCK Platform CA', 777), all.pckCrlIssuerChain[1]!],
        }),
      },
    ],
    [
      'a chain with two roots beside the list',
      `chain: ${step}`,
      { collateral: (all) => ({ ...all, pckCrlIssuerChain: [...all.pckCrlIssuerChain, all.pckCrlIssuerChain[1]!] }) },
    ],
    [
      'a chain in the wrong order beside the list',
      `chain: ${step}`,
      { collateral: (all) => ({ ...all, pckCrlIssuerChain: all.pckCrlIssuerChain.toReversed() }) },
    ],
    [
      "another vendor's root beside the list",
      `untrusted-root: ${step}`,
      {
        collateral: (all) => ({
          ...all,
          pckCrlIssuerChain: [all.pckCrlIssuerChain[0]!, strangers.pckCrlIssuerChain[1]!],
        }),
      },
    ],
  ]);
  accepts([
    ['lists that revoke others', list('pckCrl', { revoked: [intelSerials.pck + 1] })],
    ['lists that revoke nothing', { rootCaCrl: { revoked: [] }, pckCrl: { revoked: [] } }],
    [
      "the authority's certificate made anew, beside the list",
      {
        collateral: (all) => ({
          ...all,
          pckCrlIssuerChain: [authorityAnew('Intel SGX PCK Platform CA', 777), all.pckCrlIssuerChain[1]!],
        }),
      },
    ],
    ["the authority's serial in the other list", list('pckCrl', { revoked: [intelSerials.authority] })],
  ]);

  /** The same key under another certificate. */
  function authorityAnew(subject: string, serialNumber: number): string {
    const issued = { issuer: 'Intel SGX Root CA', signer: vendor.root, keys: vendor.platform };
    return base64Url(makeCertificate({ ...issued, subject, serialNumber, extensions: caExtensions(0) }));
  }

  /** A certificate authority whose key may not sign revocation lists. */
  function onlyCertificates(): Uint8Array<ArrayBuffer>[] {
    return [caExtensions(0)[0]!, extension('2.5.29.15', true, Uint8Array.of(3, 2, 2, 4))];
  }
});
