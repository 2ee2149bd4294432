import { type Bytes, encodeUtf8, equalBytes } from '../../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../../protocol/bytes/errors.ts';
import { sha384 } from '../../../protocol/bytes/hash.ts';
import { verifySignature } from '../../x509/signature.ts';
import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import { canonicalizeXml } from './canonical-xml.ts';
import { fromStandardBase64 } from '../../../protocol/bytes/standard-base64.ts';
import type { XmlElement } from './xml-reader.ts';

const signatureNamespace = 'http://www.w3.org/2000/09/xmldsig#';
const canonicalization = 'http://www.w3.org/2006/12/xml-c14n11';
const maximumCertificates = 8;

/** A document's signature over all of it but itself, read but not yet checked. */
export type EnvelopedSignature = {
  readonly element: XmlElement;
  readonly signedInfo: XmlElement;
  /** SHA-384 of the document without the signature. */
  readonly digest: Bytes;
  /** `r || s`, 96 bytes. */
  readonly signature: Bytes;
  /** The certificates in the document's order: leaf first. */
  readonly certificates: readonly Certificate[];
};

/**
 * Reads the one form of signature that reference manifests have (XML Signature 1.1): a last child of the root, one reference to
 * the whole document, ECDSA with P-384 and SHA-384. Anything more or other is refused, so that there is nothing to wrap, move
 * or refer to elsewhere.
 *
 * @throws {CryptoError} `malformed`, `too-long`.
 */
export function readEnvelopedSignature(root: XmlElement): EnvelopedSignature {
  const element = elementsOf(root).at(-1);
  if (element === undefined || countSignatureElements(root) !== countSignatureElements(element)) {
    throw new CryptoError('malformed');
  }
  const [signedInfo, signatureValue, keyInfo] = readChildren(element, 'Signature', [
    'SignedInfo',
    'SignatureValue',
    'KeyInfo',
  ]);
  const [canonicalizationMethod, signatureMethod, reference] = readChildren(signedInfo, 'SignedInfo', [
    'CanonicalizationMethod',
    'SignatureMethod',
    'Reference',
  ]);
  needAlgorithm(canonicalizationMethod, canonicalization);
  needAlgorithm(signatureMethod, 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384');
  const [transforms, digestMethod, digestValue] = readChildren(
    reference,
    'Reference',
    ['Transforms', 'DigestMethod', 'DigestValue'],
    { URI: '' },
  );
  const [enveloped, canonical] = readChildren(transforms, 'Transforms', ['Transform', 'Transform']);
  needAlgorithm(enveloped, `${signatureNamespace}enveloped-signature`);
  needAlgorithm(canonical, canonicalization);
  needAlgorithm(digestMethod, 'http://www.w3.org/2001/04/xmldsig-more#sha384');
  const [x509Data] = readChildren(keyInfo, 'KeyInfo', ['X509Data']);
  const encodedCertificates = elementsOf(x509Data);
  if (encodedCertificates.length > maximumCertificates) throw new CryptoError('malformed');
  readChildren(
    x509Data,
    'X509Data',
    encodedCertificates.map(() => 'X509Certificate'),
  );
  return {
    element,
    signedInfo,
    digest: readBase64(digestValue, 48),
    signature: readBase64(signatureValue, 96),
    certificates: encodedCertificates.map((encoded) => parseCertificate(readBase64(encoded))),
  };
}

/** True if the document is as it was signed, by the key of the first certificate; the caller checks the chain. */
export async function isSignedAsIs(root: XmlElement, envelope: EnvelopedSignature): Promise<boolean> {
  const { element, signedInfo, digest, signature, certificates } = envelope;
  const [leaf] = certificates;
  if (leaf === undefined || !equalBytes(sha384(encodeUtf8(canonicalizeXml(root, element))), digest)) return false;
  return verifySignature({
    subjectPublicKeyInfo: leaf.subjectPublicKeyInfo,
    algorithm: 'ecdsa-p384-sha384',
    signature,
    message: encodeUtf8(canonicalizeXml(signedInfo)),
  });
}

/** The child elements, without the text between them. */
export function elementsOf(element: XmlElement | undefined): XmlElement[] {
  return (element?.children ?? []).filter((child) => typeof child !== 'string');
}

function countSignatureElements(element: XmlElement): number {
  const own = element.namespace === signatureNamespace ? 1 : 0;
  return elementsOf(element).reduce((sum, child) => sum + countSignatureElements(child), own);
}

/** The children of an element of the signature, which must be these, with blanks between and nothing else. */
function readChildren<const Names extends readonly string[]>(
  element: XmlElement | undefined,
  localName: string,
  names: Names,
  attributes: Readonly<Record<string, string>> = {},
): { [Index in keyof Names]: XmlElement } {
  needElement(element, localName, attributes);
  const children = elementsOf(element);
  const isAsExpected =
    children.length === names.length &&
    children.every((child, index) => child.namespace === signatureNamespace && child.localName === names[index]) &&
    element.children.every((child) => typeof child !== 'string' || child.trim() === '');
  if (!isAsExpected) throw new CryptoError('malformed');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as many as there are names, just counted
  return children as { [Index in keyof Names]: XmlElement };
}

function needAlgorithm(element: XmlElement, algorithm: string): void {
  needElement(element, element.localName, { Algorithm: algorithm });
  if (element.children.length > 0) throw new CryptoError('malformed');
}

function needElement(
  element: XmlElement | undefined,
  localName: string,
  attributes: Readonly<Record<string, string>>,
): asserts element is XmlElement {
  const isAsExpected =
    element?.namespace === signatureNamespace &&
    element.localName === localName &&
    element.attributes.length === Object.keys(attributes).length &&
    element.attributes.every(({ name, value }) => attributes[name] === value);
  if (!isAsExpected) throw new CryptoError('malformed');
}

function readBase64(element: XmlElement, length?: number): Bytes {
  needElement(element, element.localName, {});
  const [text, ...others] = element.children;
  if (typeof text !== 'string' || others.length > 0) throw new CryptoError('malformed');
  const bytes = fromStandardBase64(text);
  if (length !== undefined && bytes.length !== length) throw new CryptoError('malformed');
  return bytes;
}
