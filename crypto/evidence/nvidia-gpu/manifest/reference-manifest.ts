import { type Bytes, fromHex } from '../../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../../protocol/bytes/errors.ts';
import { type EnvelopedSignature, elementsOf, readEnvelopedSignature } from './xml-signature.ts';
import { parseXml, type XmlElement } from './xml-reader.ts';

/** NVIDIA's word on what a driver or a VBIOS measures, read but not yet believed (SPEC.md §9.9). */
export type ReferenceManifest = {
  readonly root: XmlElement;
  readonly envelope: EnvelopedSignature;
  /** For example `GH100`. */
  readonly product: string;
  /** For example `580.95.05` of a driver, `96.00.A5.00.01` of a VBIOS. */
  readonly version: string;
  /** The values to compare: index to the digests of which the GPU must show one. */
  readonly measurements: ReadonlyMap<number, readonly Bytes[]>;
};

const identityNamespace = 'http://standards.iso.org/iso/19770/-2/2015/schema.xsd';
const hashNamespace = 'http://www.w3.org/2001/04/xmlenc#sha384';
const maximumAlternatives = 32;

/**
 * Reads a SWID tag (ISO/IEC 19770-2) of measurements as NVIDIA's RIM service gives it.
 *
 * @throws {CryptoError} `malformed`, `too-long`.
 */
export function parseReferenceManifest(text: string): ReferenceManifest {
  const root = parseXml(text);
  const envelope = readEnvelopedSignature(root);
  const [entity, meta, payload, , ...others] = elementsOf(root);
  const isTag = isIdentityElement(root, 'SoftwareIdentity') && isIdentityElement(entity, 'Entity');
  if (!isTag || !isIdentityElement(meta, 'Meta') || !isIdentityElement(payload, 'Payload') || others.length > 0) {
    throw new CryptoError('malformed');
  }
  return {
    root,
    envelope,
    product: readAttribute(meta, 'product', /^[A-Za-z0-9-]{1,32}$/),
    version: readAttribute(meta, 'colloquialVersion', /^[A-Za-z0-9.]{1,32}$/),
    measurements: readMeasurements(payload),
  };
}

function readMeasurements(payload: XmlElement): ReadonlyMap<number, readonly Bytes[]> {
  const measurements = new Map<number, readonly Bytes[]>();
  const seen = new Set<number>();
  for (const resource of elementsOf(payload)) {
    if (!isIdentityElement(resource, 'Resource')) throw new CryptoError('malformed');
    readAttribute(resource, 'type', /^Measurement$/);
    readAttribute(resource, 'size', /^48$/);
    const index = Number(readAttribute(resource, 'index', /^(0|[1-9]\d{0,2})$/));
    const digests = readDigests(resource);
    if (seen.has(index) || index > 254) throw new CryptoError('malformed');
    seen.add(index);
    if (readAttribute(resource, 'active', /^(True|False)$/) === 'True') measurements.set(index, digests);
  }
  return measurements;
}

/** `Hash0`, `Hash1`, … as many as `alternatives` says. */
function readDigests(resource: XmlElement): Bytes[] {
  const count = Number(readAttribute(resource, 'alternatives', /^[1-9]\d?$/));
  const given = resource.attributes.filter(({ namespace }) => namespace === hashNamespace);
  if (count > maximumAlternatives || given.length !== count) throw new CryptoError('malformed');
  return Array.from({ length: count }, (_, number) =>
    fromHex(readAttribute(resource, `Hash${number}`, /^[0-9A-Fa-f]{96}$/, hashNamespace).toLowerCase()),
  );
}

function isIdentityElement(element: XmlElement | undefined, localName: string): element is XmlElement {
  return element?.namespace === identityNamespace && element.localName === localName;
}

function readAttribute(element: XmlElement, localName: string, form: RegExp, namespace = ''): string {
  const found = element.attributes.find(
    (attribute) => attribute.localName === localName && attribute.namespace === namespace,
  );
  if (found === undefined || !form.test(found.value)) throw new CryptoError('malformed');
  return found.value;
}
