import { type Bytes, decodeUtf8, equalBytes } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import {
  contextTag,
  type DerNode,
  derTag,
  expectTag,
  readBitString,
  readBoolean,
  readDer,
  readInteger,
  readNamedBits,
  readOid,
  readSequence,
  readSmallInteger,
  readTime,
} from './der.ts';

export type Extension = { readonly critical: boolean; /** Contents of its OCTET STRING. */ readonly value: Bytes };
export type Extensions = ReadonlyMap<string, Extension>;
export type KeyUsage = {
  readonly digitalSignature: boolean;
  readonly certificateSigning: boolean;
  readonly revocationListSigning: boolean;
};

/** An X.509 certificate of version 3 (RFC 5280 §4.1), read but not yet believed. */
export type Certificate = {
  readonly raw: Bytes;
  /** The signed part. */
  readonly tbs: Bytes;
  /** DER of the AlgorithmIdentifier, the same inside and outside of what is signed. */
  readonly signatureAlgorithm: Bytes;
  readonly signature: Bytes;
  /** DER of the names: compared byte for byte. */
  readonly issuer: Bytes;
  readonly subject: Bytes;
  readonly subjectCommonName: string | null;
  /** Without leading zero. */
  readonly serialNumber: Bytes;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly subjectPublicKeyInfo: Bytes;
  readonly extensions: Extensions;
  readonly isCa: boolean;
  /** Certificate authorities that may stand below this one; null: any number. */
  readonly pathLength: number | null;
  /** Null where the certificate does not limit it. */
  readonly keyUsage: KeyUsage | null;
};

const maximumLength = 8192;
const maximumExtensions = 32;
const oid = { commonName: '2.5.4.3', keyUsage: '2.5.29.15', basicConstraints: '2.5.29.19' } as const;

/** @throws {CryptoError} `malformed` for anything but strict DER of a version 3 certificate, `too-long` above 8 KiB. */
export function parseCertificate(der: Bytes): Certificate {
  if (der.length > maximumLength) throw new CryptoError('too-long');
  const { tbs, fields, signatureAlgorithm, signature } = readSigned(readDer(der));
  const [version, serialNumber, algorithm, issuer, validity, subject, publicKey, extensionsField, ...others] = fields;
  const [versionNumber, ...moreVersions] = expectTag(version, contextTag(0)).children();
  if (readSmallInteger(versionNumber) !== 2 || moreVersions.length > 0) throw new CryptoError('malformed');
  if (!equalBytes(expectTag(algorithm, derTag.sequence).raw, signatureAlgorithm)) throw new CryptoError('malformed');
  // Unique identifiers would stand before the extensions; none of the vendors writes any.
  if (others.length > 0) throw new CryptoError('malformed');
  const [notBefore, notAfter, ...moreTimes] = readSequence(validity);
  if (moreTimes.length > 0) throw new CryptoError('malformed');
  const serial = readInteger(serialNumber);
  if (serial.length > 20) throw new CryptoError('malformed');
  const extensions = extensionsField === undefined ? new Map<string, Extension>() : readExtensions(extensionsField, 3);
  const keyInfo = expectTag(publicKey, derTag.sequence);
  const subjectName = expectTag(subject, derTag.sequence);
  return {
    raw: der,
    tbs,
    signatureAlgorithm,
    signature,
    issuer: expectTag(issuer, derTag.sequence).raw,
    subject: subjectName.raw,
    subjectCommonName: readCommonName(subjectName),
    serialNumber: serial,
    notBeforeMs: readTime(notBefore),
    notAfterMs: readTime(notAfter),
    subjectPublicKeyInfo: keyInfo.raw,
    extensions,
    ...readBasicConstraints(extensions),
    keyUsage: readKeyUsage(extensions),
  };
}

/** Certificates and revocation lists share this form: SEQUENCE of the signed part, algorithm, signature. */
export function readSigned(node: DerNode) {
  const [signed, algorithm, signature, ...others] = readSequence(node);
  if (others.length > 0) throw new CryptoError('malformed');
  const content = expectTag(signed, derTag.sequence);
  return {
    tbs: content.raw,
    fields: content.children(),
    signatureAlgorithm: expectTag(algorithm, derTag.sequence).raw,
    signature: readBitString(signature),
  };
}

/** Extensions under an explicit tag. @throws {CryptoError} `malformed` also where one occurs twice. */
export function readExtensions(node: DerNode, tagNumber: number): Extensions {
  const [list, ...others] = expectTag(node, contextTag(tagNumber)).children();
  if (others.length > 0) throw new CryptoError('malformed');
  return readExtensionList(list);
}

/** @throws {CryptoError} `malformed` for none, too many, or one that occurs twice. */
export function readExtensionList(list: DerNode | undefined): Extensions {
  const entries = readSequence(list);
  if (entries.length === 0 || entries.length > maximumExtensions) throw new CryptoError('malformed');
  const extensions = new Map<string, Extension>();
  for (const entry of entries) {
    const [id, ...rest] = readSequence(entry);
    const critical = rest.length === 2 ? readBoolean(rest[0]) : false;
    const name = readOid(id);
    if (rest.length > 2 || extensions.has(name)) throw new CryptoError('malformed');
    extensions.set(name, { critical, value: expectTag(rest.at(-1), derTag.octetString).content });
  }
  return extensions;
}

function readCommonName(name: DerNode): string | null {
  let commonName: string | null = null;
  for (const set of name.children()) {
    for (const attribute of expectTag(set, derTag.set).children()) {
      const [type, value, ...others] = readSequence(attribute);
      if (value === undefined || others.length > 0) throw new CryptoError('malformed');
      if (readOid(type) !== oid.commonName) continue;
      const isText = value.tag === derTag.utf8String || value.tag === derTag.printableString;
      // With two common names, the reader would choose which one counts.
      if (!isText || commonName !== null || value.content.length > 128) throw new CryptoError('malformed');
      commonName = decodeUtf8(value.content);
    }
  }
  return commonName;
}

function readBasicConstraints(extensions: Extensions): { isCa: boolean; pathLength: number | null } {
  const extension = extensions.get(oid.basicConstraints);
  if (extension === undefined) return { isCa: false, pathLength: null };
  const fields = [...readSequence(readDer(extension.value))];
  const isCa = fields[0]?.tag === derTag.boolean ? readBoolean(fields.shift()) : false;
  const pathLength = fields.length > 0 ? readSmallInteger(fields.shift()) : null;
  if (fields.length > 0 || (!isCa && pathLength !== null)) throw new CryptoError('malformed');
  return { isCa, pathLength };
}

function readKeyUsage(extensions: Extensions): KeyUsage | null {
  const extension = extensions.get(oid.keyUsage);
  if (extension === undefined) return null;
  const bits = readNamedBits(readDer(extension.value));
  return { digitalSignature: bits.has(0), certificateSigning: bits.has(5), revocationListSigning: bits.has(6) };
}
