import { describe } from 'vitest';
import { makeKeys } from '../../../../parts/evidence/vendors/certificate-maker.ts';
import { headerFields, qeReportFields, reportFields } from '../../../../parts/evidence/intel/intel-quote.ts';
import {
  accepts,
  expected,
  flipAt,
  machine,
  refuses,
  v5,
  type Variant,
} from '../../../../parts/evidence/intel/tdx-conformance.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const extend = (length: number) => (quote: Uint8Array) => Uint8Array.from([...quote, ...new Uint8Array(length)]);

/** Where the parts of a quote of version 4 begin. */
const at = {
  report: 48,
  length: 632,
  signature: 636,
  key: 700,
  qeReport: 770,
  qeSignature: 1154,
  authentication: 1220,
};

describe('form of the quote', () => {
  const malformed = 'malformed: tdx';
  const unsupported = 'unsupported: tdx-quote';
  accepts([
    ['version 4', {}],
    ['version 5 with a report of TDX 1.0', { version: 5, reportType: 2 }],
    ['version 5 with a report of TDX 1.5', v5],
    ['no authentication data of the quoting enclave', { qeAuthenticationData: new Uint8Array(0) }],
    ['the zero byte that Intel writes behind the certificates', { pckPem: (pem) => [...pem, '\0'] }],
  ]);
  refuses([
    ['version 3', unsupported, { version: 3 }],
    ['version 6', unsupported, { version: 6 }],
    ['version 0x0104', unsupported, { header: { version: '0401' } }],
    ['an attestation key of ECDSA P-384', unsupported, { header: { attestationKeyType: '0300' } }],
    ['a quote about an SGX enclave', unsupported, { header: { teeType: '00000000' } }],
    ['another vendor of quoting enclaves', unsupported, { header: { vendorId: '939a7233f79c4ca9940a0db3957f0608' } }],
    ['one trailing byte', malformed, { quote: extend(1) }],
    ['trailing zeros of a fixed buffer', malformed, { quote: extend(70) }],
    ['a quote behind the quote', malformed, { quote: (quote) => Uint8Array.from([...quote, ...quote]) }],
    ['a quote cut by its last byte', malformed, { quote: (quote) => quote.slice(0, -1) }],
    ['a quote cut after its report', malformed, { quote: (quote) => quote.slice(0, at.length) }],
    ['a header alone', malformed, { quote: (quote) => quote.slice(0, 48) }],
    ['half a version', malformed, { quote: (quote) => quote.slice(0, 1) }],
    ['no bytes', malformed, { quote: (quote) => quote.slice(0, 0) }],
    ['text that is not base64url', malformed, {}, { quote: 'BAACAIEA=' }],
    ['a signature section longer than the quote', malformed, { wrongLength: { signatureData: 1 } }],
    ['a signature section shorter than the quote', malformed, { wrongLength: { signatureData: -1 } }],
    ['a signature section of 4 GiB', malformed, { quote: (quote) => quote.fill(255, at.length, at.length + 4) }],
    ['a certification longer than its section', malformed, { wrongLength: { certification: 1 } }],
    ['a certification shorter than its section', malformed, { wrongLength: { certification: -1 } }],
    ['bytes behind the certification', malformed, { padding: { signatureData: 3 } }],
    ['bytes behind the certificates', malformed, { padding: { certification: 3 } }],
    ['two zero bytes behind the last certificate', malformed, { padding: { chain: 2 } }],
    ['certificates longer than their section', malformed, { wrongLength: { chain: 1 } }],
    ['certificates shorter than their section', malformed, { wrongLength: { chain: -1 } }],
    ['more authentication data than there is', malformed, { wrongLength: { authentication: 60_000 } }],
    ['a report of TDX 1.5 in version 4', malformed, { version: 4, reportType: 3 }],
    ['a certification that is no QE report', unsupported, { certificationType: 5 }],
    ['an encrypted processor id in place of certificates', unsupported, { innerCertificationType: 3 }],
    ['a single certificate by its type', unsupported, { innerCertificationType: 4 }],
  ]);
  refuses(
    [
      ['a body that is an SGX report', unsupported, { version: 5, reportType: 1 }],
      ['a body of an unknown type', unsupported, { version: 5, reportType: 4 }],
      ['a body shorter than it says', malformed, { ...v5, wrongLength: { report: 1 } }],
      ['a body longer than its type', malformed, { ...v5, padding: { report: 1 } }],
      ['a report of TDX 1.5 under the type of TDX 1.0', malformed, { ...v5, quote: (quote) => quote.fill(2, 48, 49) }],
      ['version 5 read as version 4', malformed, { ...v5, quote: (quote) => quote.fill(4, 0, 1) }],
    ],
    v5,
  );
});

describe('every signed field, changed after it was signed', () => {
  const unsupported: readonly string[] = ['version', 'attestationKeyType', 'teeType', 'vendorId'];
  const names10 = Object.entries(reportFields).slice(0, 15);
  refuses([
    ...Object.entries(headerFields).map(([name, [offset, length]]): Variant => {
      const refusal = unsupported.includes(name) ? 'unsupported: tdx-quote' : 'signature: tdx-signature';
      return [`header ${name}`, refusal, { quote: flipAt(offset + length - 1) }];
    }),
    ...names10.map(([name, [offset]]): Variant => [
      `report ${name}`,
      'signature: tdx-signature',
      { quote: flipAt(at.report + offset) },
    ]),
    ...Object.entries(qeReportFields).map(([name, [offset]]): Variant => [
      `QE report ${name}`,
      'signature: tdx-quoting-enclave',
      { quote: flipAt(at.qeReport + offset) },
    ]),
    ['quote signature r', 'signature: tdx-signature', { quote: flipAt(at.signature) }],
    ['quote signature s', 'signature: tdx-signature', { quote: flipAt(at.signature + 63) }],
    ['a zero quote signature', 'signature: tdx-signature', { quote: (quote) => quote.fill(0, at.signature, at.key) }],
    ['attestation key x', 'signature: tdx-quoting-enclave', { quote: flipAt(at.key) }],
    ['attestation key y', 'signature: tdx-quoting-enclave', { quote: flipAt(at.key + 63) }],
    ['QE report signature', 'signature: tdx-quoting-enclave', { quote: flipAt(at.qeSignature + 5) }],
    ['QE authentication data', 'signature: tdx-quoting-enclave', { quote: flipAt(at.authentication) }],
  ]);
  refuses(
    Object.entries(reportFields)
      .slice(15)
      .map(([name, [offset]]): Variant => [
        `TDX 1.5 report ${name}`,
        'signature: tdx-signature',
        { ...v5, quote: flipAt(54 + offset) },
      ]),
    v5,
  );
});

describe('who signed', () => {
  refuses([
    ['another attestation key than the one named', 'signature: tdx-signature', { quoteSigner: makeKeys('p256') }],
    ['another processor key than the certified one', 'signature: tdx-quoting-enclave', { qeSigner: makeKeys('p256') }],
    [
      'the attestation key for its own enclave',
      'signature: tdx-quoting-enclave',
      { qeSigner: machine.keys.attestation },
    ],
    ["the processor's key in the enclave's place", 'signature: tdx-signature', { quoteSigner: machine.keys.pck }],
    [
      'a QE report about another attestation key',
      'signature: tdx-quoting-enclave',
      { qeReport: { reportData: 'cd'.repeat(32) } },
    ],
    [
      'a QE report with another digest and more in its report data',
      'signature: tdx-quoting-enclave',
      { qeReport: { reportData: `${'cd'.repeat(32)}01` } },
    ],
    [
      'an attestation key that is no point',
      'signature: tdx-quoting-enclave',
      { quote: (quote) => quote.fill(0, 700, 764) },
    ],
  ]);
});

describe('the quote that the hardware signed', () => {
  const other = new Uint8Array(64).fill(9);
  refuses([
    ['report data of another identity', 'report-data: tdx-report-data', {}, { expected: other }],
    ['report data of zeros', 'report-data: tdx-report-data', { report: { reportData: '00'.repeat(64) } }],
    ['half of the report data', 'report-data: tdx-report-data', { report: { reportData: hex(expected.slice(0, 32)) } }],
    ['the debug attribute', 'debug: tdx-domain', { report: { tdAttributes: '0100001000000000' } }],
    ...[1, 2, 3, 4, 5, 6, 7].map((bit): Variant => [
      `attribute bit ${bit}, which opens it to the host`,
      'debug: tdx-domain',
      { report: { tdAttributes: `${hex(Uint8Array.of(1 << bit))}00001000000000` } },
    ]),
    ['the migration attribute', 'migration: tdx-domain', { report: { tdAttributes: '0000003000000000' } }],
    ['no SEPT_VE_DISABLE', 'guest-policy: tdx-domain', { report: { tdAttributes: '0000000000000000' } }],
    ['a reserved attribute, bit 8', 'guest-policy: tdx-domain', { report: { tdAttributes: '0001001000000000' } }],
    ['a reserved attribute, bit 32', 'guest-policy: tdx-domain', { report: { tdAttributes: '0000001001000000' } }],
    ['a reserved attribute, bit 62', 'guest-policy: tdx-domain', { report: { tdAttributes: '0000001000000040' } }],
    ['no SSE in XFAM', 'guest-policy: tdx-domain', { report: { xfam: 'e502060000000000' } }],
    ['an unknown bit in XFAM', 'guest-policy: tdx-domain', { report: { xfam: 'e702060000000080' } }],
    ['an XFAM of zero', 'guest-policy: tdx-domain', { report: { xfam: '0000000000000000' } }],
    ['a TDX module with attributes', 'debug: tdx-domain', { report: { seamAttributes: '0100000000000000' } }],
    ['a TDX module that Intel did not sign', 'measurement: tdx-module', { report: { mrSignerSeam: '01' } }],
    ['a configuration from the host', 'guest-policy: tdx-domain', { report: { mrConfigId: '01' } }],
    ['an owner', 'guest-policy: tdx-domain', { report: { mrOwner: '01' } }],
    ['an owner configuration', 'guest-policy: tdx-domain', { report: { mrOwnerConfig: '01' } }],
  ]);
  refuses(
    [
      ['a service TD', 'migration: tdx-domain', { ...v5, report: { mrServiceTd: '01' } }],
      ['the debug attribute in version 5', 'debug: tdx-domain', { ...v5, report: { tdAttributes: '01000010' } }],
      ['other report data in version 5', 'report-data: tdx-report-data', v5, { expected: other }],
    ],
    v5,
  );
  accepts([
    ['protection keys and performance counters', { report: { tdAttributes: '0000005000000080' } }],
    ['the least that XFAM can be', { report: { xfam: '0300000000000000' } }],
  ]);
});
