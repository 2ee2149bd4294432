import { caExtensions, extension, testNowMs } from '../../../../parts/evidence/vendors/certificate-maker.ts';
import {
  type NvidiaFaults,
  sha384Of,
  usualDigest,
  usualRow,
} from '../../../../parts/evidence/nvidia/nvidia-machine.ts';
import { c14n11 } from '../../../../parts/evidence/nvidia/nvidia-manifest.ts';
import { hopper, otherMachine, strangerKeys, type Variant } from './gpu-variants.ts';

/** Single faults of what is compared, and of the manifests that it is compared with. */
const dsig = 'http://www.w3.org/2000/09/xmldsig#';
const replaced = (from: string | RegExp, to: string) => (document: string) => {
  const changed = document.replace(from, to);
  if (changed === document) throw new Error('The fault changes nothing.');
  return changed;
};
export const driverRows = (
  change: (rows: ReturnType<typeof usualRow>[]) => ReturnType<typeof usualRow>[],
): NvidiaFaults => ({
  driver: {
    measurements: change(Array.from({ length: 64 }, (_, index) => usualRow(index, hopper.rows.driver))),
  },
});

export const measurementVariants: Variant[] = [
  ['a driver measurement that NVIDIA does not give', 'measurement', { measurements: { 21: sha384Of('debug') } }],
  ['a VBIOS measurement that NVIDIA does not give', 'measurement', { measurements: { 0: sha384Of('debug') } }],
  ['a measurement of zeros', 'measurement', { measurements: { 7: new Uint8Array(48) } }],
  ['a measurement left out', 'measurement', { measurements: { 40: null } }],
  ['a measurement of 32 bytes', 'measurement', { measurements: { 7: usualDigest(7).subarray(0, 32) } }],
  ['two measurements exchanged', 'measurement', { measurements: { 21: usualDigest(22), 22: usualDigest(21) } }],
  ["the last GPU's measurement", 'measurement', { allGpus: true, measurements: { 12: sha384Of('x') } }],
  ['no manifest at all', 'collateral-missing', { manifests: () => [] }],
  ['no driver manifest', 'collateral-missing', { manifests: ([, vbios]) => [vbios!] }],
  ['no VBIOS manifest', 'collateral-missing', { manifests: ([driver]) => [driver!] }],
  ['a manifest of another driver', 'collateral-missing', { driver: { version: '580.95.06' } }],
  ['a manifest of another VBIOS', 'collateral-missing', { vbios: { version: '96.00.A5.00.02' } }],
  ['a driver manifest of another chip', 'collateral-missing', { driver: { product: 'GB100' } }],
  ['a VBIOS manifest of another chip', 'collateral-missing', { vbios: { product: 'LS10' } }],
  ['two manifests of one version', 'malformed', { manifests: ([driver, vbios]) => [driver!, vbios!, driver!] }],
  ['one index in both manifests', 'reference-values', driverRows((rows) => rows.with(8, usualRow(8, [8])))],
  [
    'a driver manifest with nothing to compare',
    'reference-values',
    driverRows((rows) => rows.map((_, index) => usualRow(index, []))),
  ],
  ['an index listed twice', 'malformed', driverRows((rows) => rows.with(63, usualRow(7, [7])))],
  ['an index that is no number', 'malformed', driverRows((rows) => rows.with(63, { ...rows[63]!, index: '063' }))],
  [
    'more alternatives announced than given',
    'malformed',
    driverRows((rows) => rows.with(7, { ...rows[7]!, alternatives: 2 })),
  ],
  [
    'fewer alternatives announced than given',
    'malformed',
    driverRows((rows) => rows.with(22, { ...rows[22]!, alternatives: 1 })),
  ],
  ['no alternative', 'malformed', driverRows((rows) => rows.with(7, { ...rows[7]!, digests: [] }))],
  [
    'a digest of 47 bytes',
    'malformed',
    driverRows((rows) => rows.with(7, { ...rows[7]!, digests: ['ab'.repeat(47)] })),
  ],
  ['a size that is not 48', 'malformed', driverRows((rows) => rows.with(7, { ...rows[7]!, size: '32' }))],
  ['an index above 254', 'malformed', driverRows((rows) => rows.with(63, { ...rows[63]!, index: 255 }))],
  [
    'more than 32 alternatives',
    'malformed',
    driverRows((rows) => rows.with(63, { ...rows[63]!, digests: Array.from({ length: 33 }, () => '0'.repeat(96)) })),
  ],
  ['a resource of another type', 'malformed', driverRows((rows) => rows.with(7, { ...rows[7]!, type: 'File' }))],
  ['an activity that is neither', 'malformed', driverRows((rows) => rows.with(7, { ...rows[7]!, active: 'true' }))],
];

export const manifestVariants: Variant[] = [
  ['a signer that has expired', 'expired', { manifestCertificates: { leaf: { notAfter: testNowMs - 1000 } } }],
  ['a signer of the future', 'not-yet-valid', { manifestCertificates: { leaf: { notBefore: testNowMs + 60_000 } } }],
  ['a signer certified by a stranger', 'chain', { manifestCertificates: { leaf: { signer: strangerKeys } } }],
  [
    'a signer that may issue certificates',
    'chain',
    { manifestCertificates: { third: { extensions: caExtensions(1) }, leaf: { extensions: caExtensions() } } },
  ],
  [
    'a signer whose key may not sign',
    'chain',
    { manifestCertificates: { leaf: { extensions: [extension('2.5.29.15', true, Uint8Array.of(3, 2, 5, 0x20))] } } },
  ],
  ['an issuer past its path length', 'chain', { manifestCertificates: { second: { extensions: caExtensions(0) } } }],
  ["another's root of the same name", 'untrusted-root', { manifestCertificates: { root: { serialNumber: 9 } } }],
  ['a manifest of another machine', 'untrusted-root', { manifests: () => otherMachine.makeManifests({}) }],
  ['a manifest signed by a stranger', 'signature', { driver: { signer: strangerKeys } }],
  ['a digest of something else', 'signature', { driver: { digest: Buffer.from(sha384Of('x')).toString('base64') } }],
  ['a measurement changed in the manifest', 'signature', manifestFault(replaced(/Hash0="[0-9a-f]{2}/, 'Hash0="ff'))],
  [
    'a measurement made inactive',
    'signature',
    manifestFault(replaced('index="7" active="True"', 'index="7" active="False"')),
  ],
  [
    'a version changed',
    'signature',
    manifestFault(replaced('colloquialVersion="580.95.05"', 'colloquialVersion="580.95.06"')),
  ],
  ['a blank more between elements', 'signature', manifestFault(replaced('/>\n    <ns0:Meta', '/>\n     <ns0:Meta'))],
  [
    'a namespace declared that nobody uses',
    'signature',
    manifestFault(replaced('<ns0:Payload ', '<ns0:Payload xmlns:x="urn:x" ')),
  ],
  ['a resource added', 'signature', manifestFault(replaced('    </ns0:Payload>', `${resource(64)}    </ns0:Payload>`))],
  [
    'a signature value changed',
    'signature',
    manifestFault(replaced(/<ds:SignatureValue>...../, '<ds:SignatureValue>AAAAA')),
  ],
  [
    'a signature value of 95 bytes',
    'malformed',
    manifestFault(replaced(/<ds:SignatureValue>[^<]*/, `<ds:SignatureValue>${'A'.repeat(126)}w=`)),
  ],
  ['a digest of SHA-256', 'malformed', { driver: { digestMethod: 'http://www.w3.org/2001/04/xmlenc#sha256' } }],
  ['a signature by HMAC', 'malformed', { driver: { signatureMethod: `${dsig}hmac-sha1` } }],
  [
    'exclusive canonicalisation',
    'malformed',
    { driver: { canonicalization: 'http://www.w3.org/2001/10/xml-exc-c14n#' } },
  ],
  ['a reference to nothing', 'malformed', manifestFault(replaced(' URI=""', ''))],
  ['a reference to a part', 'malformed', { driver: { uri: '#payload' } }],
  ['a reference to somewhere else', 'malformed', { driver: { uri: 'https://example.org/' } }],
  [
    'an XSLT transform',
    'malformed',
    { driver: { transforms: ['http://www.w3.org/TR/1999/REC-xslt-19991116', c14n11] } },
  ],
  ['a third transform', 'malformed', { driver: { transforms: [`${dsig}enveloped-signature`, c14n11, c14n11] } }],
  ['no transform of the envelope', 'malformed', { driver: { transforms: [c14n11, c14n11] } }],
  [
    'two references',
    'malformed',
    manifestFault((document) => document.replace(/(<ds:Reference .*<\/ds:Reference>)/, '$1$1')),
  ],
  [
    'two signatures',
    'malformed',
    manifestFault((document) => document.replace(/(<ds:Signature .*<\/ds:Signature>)/s, '$1$1')),
  ],
  ['no signature', 'malformed', manifestFault((document) => document.replace(/<ds:Signature .*<\/ds:Signature>/s, ''))],
  ['a signature moved before the payload', 'malformed', manifestFault((document) => moveSignature(document))],
  ['a signed manifest wrapped into another', 'malformed', manifestFault((document) => wrap(document))],
  [
    'an object inside the signature',
    'malformed',
    manifestFault(replaced('</ds:KeyInfo>', '</ds:KeyInfo><ds:Object/>')),
  ],
  ['text inside the signature', 'malformed', manifestFault(replaced('<ds:KeyInfo>', 'x<ds:KeyInfo>'))],
  [
    'a key without certificates',
    'malformed',
    manifestFault((document) => document.replace(/<ds:X509Data>.*<\/ds:X509Data>/s, '<ds:KeyName>x</ds:KeyName>')),
  ],
  ['a second payload', 'malformed', manifestFault(replaced('<ds:Signature ', '<ns0:Payload/><ds:Signature '))],
  [
    'a payload of another namespace',
    'malformed',
    manifestFault((document) => document.replaceAll('ns0:Payload', 'ns2:Payload')),
  ],
  [
    'a root of another name',
    'malformed',
    manifestFault((document) => document.replaceAll('SoftwareIdentity', 'HardwareIdentity')),
  ],
  ['an entity of another name', 'malformed', manifestFault(replaced('<ns0:Entity', '<ns0:Person'))],
  ['a description of another name', 'malformed', manifestFault(replaced('<ns0:Meta', '<ns0:Link'))],
  ['a resource of another name', 'malformed', manifestFault(replaced('<ns0:Resource', '<ns0:File'))],
  [
    'a signature inside what is signed',
    'malformed',
    manifestFault(
      replaced(/(<ns0:Entity [^/]*)\/>/, `$1><ds:Signature xmlns:ds="${dsig}"></ds:Signature></ns0:Entity>`),
    ),
  ],
  [
    'nine certificates',
    'malformed',
    manifestFault((document) => document.replace(/(<ds:X509Certificate>.*<\/ds:X509Certificate>)/s, '$1$1$1')),
  ],
  [
    'a signature of another namespace',
    'malformed',
    manifestFault((document) => document.replaceAll(/ds:Signature(?=[ >]xmlns|>\n| )/g, 'ns2:Signature')),
  ],
  [
    'a signature of another name',
    'malformed',
    manifestFault((document) => document.replaceAll(/ds:Signature(?=[ >]xmlns|>\n| )/g, 'ds:Seal')),
  ],
  [
    'an element beside the signature value',
    'malformed',
    manifestFault(replaced('</ds:SignatureValue>', '<ds:Object/></ds:SignatureValue>')),
  ],
  ['a document type', 'malformed', manifestFault((document) => `<!DOCTYPE x [<!ENTITY e "e">]>${document}`)],
  ['a comment in a value', 'malformed', manifestFault(replaced('<ds:KeyInfo>', '<!-- --><ds:KeyInfo>'))],
  ['a processing instruction', 'malformed', manifestFault((document) => `<?x y?>${document}`)],
  ['CDATA', 'malformed', manifestFault(replaced('<ds:KeyInfo>', '<![CDATA[]]><ds:KeyInfo>'))],
  [
    'a reference by number',
    'malformed',
    manifestFault(replaced('name="NVIDIA Corporation"', 'name="&#78;VIDIA Corporation"')),
  ],
  ['an entity of its own', 'malformed', manifestFault(replaced('name="NVIDIA Corporation"', 'name="&e;"'))],
  ['an attribute twice', 'malformed', manifestFault(replaced('index="7"', 'index="7" index="7"'))],
  [
    'an attribute twice, under two prefixes',
    'malformed',
    manifestFault(
      replaced(
        '<ns0:Payload xmlns:SHA384',
        '<ns0:Payload xmlns:a="urn:a" xmlns:b="urn:a" a:x="1" b:x="1" xmlns:SHA384',
      ),
    ),
  ],
  ['something behind the document', 'malformed', manifestFault((document) => `${document}<x/>`)],
  ['half a document', 'malformed', manifestFault((document) => document.slice(0, document.length >> 1))],
  ['no document', 'malformed', manifestFault(() => '')],
];

function manifestFault(afterSigning: (document: string) => string): NvidiaFaults {
  return { driver: { afterSigning } };
}

function resource(index: number): string {
  return `<ns0:Resource type="Measurement" index="${index}" active="False" alternatives="1" ns2:Hash0="${'0'.repeat(96)}" name="m" size="48"/>`;
}

function moveSignature(document: string): string {
  const [signature = ''] = /<ds:Signature .*<\/ds:Signature>/s.exec(document) ?? [];
  return document.replace(signature, '').replace('    <ns0:Payload', `${signature}    <ns0:Payload`);
}

/** The classic: what was signed goes inside, what is read stands outside. */
function wrap(document: string): string {
  return document.replace('    <ns0:Entity', `<Wrapped>${document.trim()}</Wrapped>    <ns0:Entity`);
}
