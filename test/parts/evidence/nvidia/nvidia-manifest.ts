import { createHash } from 'node:crypto';
import { type KeyPair, signRaw } from '../vendors/certificate-maker.ts';

/**
 * A reference manifest in the form of NVIDIA's own: SWID tag with an enveloped signature. It is written twice, as the document and
 * as its canonical form, each by hand, so that the reader's canonicalisation is checked against another.
 */
export type ManifestMeasurement = {
  readonly index: number | string;
  readonly active?: string;
  /** Hex. */
  readonly digests: readonly string[];
  readonly alternatives?: number;
  readonly type?: string;
  readonly size?: string;
};
export type ManifestRequest = {
  readonly version: string;
  readonly product: string;
  readonly measurements: readonly ManifestMeasurement[];
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly signer: KeyPair;
  /** A note in the payload with every character that canonical form escapes; it says nothing to a reader. */
  readonly title: string;
  readonly canonicalization: string;
  readonly signatureMethod: string;
  readonly uri: string;
  readonly transforms: readonly string[];
  readonly digestMethod: string;
  /** Signs this in place of the digest of the document. */
  readonly digest: string | null;
  /** Changes the document when it is signed. */
  readonly afterSigning: (document: string) => string;
};

const swid = 'http://standards.iso.org/iso/19770/-2/2015/schema.xsd';
const sha384Namespace = 'http://www.w3.org/2001/04/xmlenc#sha384';
const rimNamespace =
  'https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/';
const dsig = 'http://www.w3.org/2000/09/xmldsig#';
export const c14n11 = 'http://www.w3.org/2006/12/xml-c14n11';
export const usualSignature = {
  title: 'A &amp; B &lt; C &gt; D &quot; E &apos;',
  canonicalization: c14n11,
  signatureMethod: 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384',
  uri: '',
  transforms: [`${dsig}enveloped-signature`, c14n11],
  digestMethod: 'http://www.w3.org/2001/04/xmldsig-more#sha384',
  digest: null,
  afterSigning: (document: string) => document,
} as const;

/** The document's body before its signature: as it is sent, and as it is signed. */
function writeBody({ version, product, measurements, title }: ManifestRequest): { sent: string; canonical: string } {
  const rows = measurements.map(({ index, active = 'True', digests, alternatives, type, size }) => {
    const hashes = digests.map((digest, number) => `ns2:Hash${number}="${digest}"`).join(' ');
    const count = alternatives ?? digests.length;
    const common = { index, active, count, type: type ?? 'Measurement', size: size ?? '48' };
    return {
      sent: `<ns0:Resource type="${common.type}" index="${index}" active="${active}" alternatives="${count}" ${hashes} name="Measurement_${index}" size="${common.size}"/>`,
      canonical: `<ns0:Resource active="${active}" alternatives="${count}" index="${index}" name="Measurement_${index}" size="${common.size}" type="${common.type}" ${hashes}></ns0:Resource>`,
    };
  });
  const escaped = title.replaceAll('&gt;', '>').replaceAll('&apos;', "'");
  const entity = 'name="NVIDIA Corporation" role="softwareCreator tagCreator"';
  return {
    sent: [
      `<SoftwareIdentity xmlns="${swid}" xmlns:ns0="${swid}" xmlns:ns2="${sha384Namespace}" corpus="false" name="${product}" patch="false" supplemental="false" tagId="ab" version="1.0" tagVersion="0">`,
      `    <ns0:Entity ${entity}/>`,
      `    <ns0:Meta xmlns:ns1="${rimNamespace}" colloquialVersion="${version}" edition="GPU" product="${product}" revision="r1" title="${title}" PayloadType="direct" ns1:PlatformModel="${product}" ns1:BindingSpec="RIMIM"/>`,
      `    <ns0:Payload xmlns:SHA384="${sha384Namespace}">`,
      ...rows.map(({ sent }) => `        ${sent}`),
      '    </ns0:Payload>',
      '',
    ].join('\n'),
    canonical: [
      `<SoftwareIdentity xmlns="${swid}" xmlns:ns0="${swid}" xmlns:ns2="${sha384Namespace}" corpus="false" name="${product}" patch="false" supplemental="false" tagId="ab" tagVersion="0" version="1.0">`,
      `    <ns0:Entity ${entity}></ns0:Entity>`,
      `    <ns0:Meta xmlns:ns1="${rimNamespace}" PayloadType="direct" colloquialVersion="${version}" edition="GPU" product="${product}" revision="r1" title="${escaped}" ns1:BindingSpec="RIMIM" ns1:PlatformModel="${product}"></ns0:Meta>`,
      `    <ns0:Payload xmlns:SHA384="${sha384Namespace}">`,
      ...rows.map(({ canonical }) => `        ${canonical}`),
      '    </ns0:Payload>',
      '',
    ].join('\n'),
  };
}

/** @returns the manifest as NVIDIA's service would give it. */
export function makeManifest(request: ManifestRequest): string {
  const body = writeBody(request);
  const digest =
    request.digest ??
    createHash('sha384')
      .update(body.canonical + '\n</SoftwareIdentity>')
      .digest('base64');
  const method = (name: string, algorithm: string, isCanonical: boolean) =>
    isCanonical ? `<ds:${name} Algorithm="${algorithm}"></ds:${name}>` : `<ds:${name} Algorithm="${algorithm}"/>`;
  const signedInfo = (isCanonical: boolean) =>
    [
      isCanonical
        ? `<ds:SignedInfo xmlns="${swid}" xmlns:ds="${dsig}" xmlns:ns0="${swid}" xmlns:ns2="${sha384Namespace}">`
        : '<ds:SignedInfo>',
      method('CanonicalizationMethod', request.canonicalization, isCanonical),
      method('SignatureMethod', request.signatureMethod, isCanonical),
      `<ds:Reference URI="${request.uri}"><ds:Transforms>`,
      ...request.transforms.map((algorithm) => method('Transform', algorithm, isCanonical)),
      `</ds:Transforms>${method('DigestMethod', request.digestMethod, isCanonical)}`,
      `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>`,
    ].join('');
  const signature = Buffer.from(signRaw(request.signer, Buffer.from(signedInfo(true)))).toString('base64');
  const certificates = request.chain.map((certificate) => {
    const lines = Buffer.from(certificate).toString('base64').replaceAll(/.{64}/g, '$&\n');
    return `<ds:X509Certificate>${lines}\n</ds:X509Certificate>`;
  });
  return request.afterSigning(
    `${body.sent}<ds:Signature xmlns:ds="${dsig}">${signedInfo(false)}<ds:SignatureValue>${signature}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>${certificates.join('')}</ds:X509Data></ds:KeyInfo></ds:Signature>\n</SoftwareIdentity>\n`,
  );
}
