import { type Bytes, toHex } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { type Certificate, parseCertificate, readExtensions } from './certificate.ts';
import {
  contextTag,
  type DerNode,
  derTag,
  expectTag,
  readBitString,
  readDer,
  readInteger,
  readOid,
  readSequence,
  readTime,
} from './der.ts';

/** The hash of a certificate's issuer, by which an answer names it. */
export type IdHash = 'SHA-1' | 'SHA-256' | 'SHA-384';
/** An answer says this of one certificate. */
export type CertificateStatus = {
  readonly hash: IdHash;
  readonly issuerNameHash: Bytes;
  readonly issuerKeyHash: Bytes;
  /** Without leading zero. */
  readonly serialNumber: Bytes;
  /** `revoked` for good or on hold. */
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly thisUpdateMs: number;
  /** Null: newer information was at hand at once, so it holds for no time. */
  readonly nextUpdateMs: number | null;
};
/** An OCSP answer (RFC 6960 §4.2), read but not yet believed. */
export type RevocationAnswer = {
  /** The signed part. */
  readonly tbs: Bytes;
  readonly signatureAlgorithm: Bytes;
  readonly signature: Bytes;
  /** Who signs: DER of a name, or SHA-1 of a key. */
  readonly signer: { readonly by: 'name' | 'key'; readonly value: Bytes };
  readonly statuses: readonly CertificateStatus[];
  /** Among them the signer's, unless the issuer signs itself. */
  readonly delegates: readonly AnswerDelegate[];
};
/** A certificate that came with an answer. */
export type AnswerDelegate = {
  readonly certificate: Certificate;
  readonly keyBits: Bytes;
  /** Dotted: what its key was certified for. */
  readonly purposes: readonly string[];
};

const maximumLength = 8192;
const maximumCertificates = 4;
const basicAnswerOid = '1.3.6.1.5.5.7.48.1.1';
/** Binds an answer to a request of its own; ours carry none, since an answer serves many clients (RFC 6960 §4.4.1). */
const nonceOid = '1.3.6.1.5.5.7.48.1.2';
/** Whole AlgorithmIdentifiers, with NULL for parameters and without. */
const hashesByIdentifier: Readonly<Record<string, readonly [hash: IdHash, length: number]>> = {
  '300906052b0e03021a0500': ['SHA-1', 20],
  '300706052b0e03021a': ['SHA-1', 20],
  '300d06096086480165030402010500': ['SHA-256', 32],
  '300b0609608648016503040201': ['SHA-256', 32],
  '300d06096086480165030402020500': ['SHA-384', 48],
  '300b0609608648016503040202': ['SHA-384', 48],
};

/** @throws {CryptoError} `malformed` for anything but a successful answer in strict DER, `too-long` above 8 KiB. */
export function parseRevocationAnswer(der: Bytes): RevocationAnswer {
  if (der.length > maximumLength) throw new CryptoError('too-long');
  const [outcome, content, ...others] = readSequence(readDer(der));
  if (toHex(expectTag(outcome, derTag.enumerated).content) !== '00' || others.length > 0) {
    throw new CryptoError('malformed');
  }
  const [type, basic, ...more] = readSequence(only(expectTag(content, contextTag(0))));
  if (readOid(type) !== basicAnswerOid || more.length > 0) throw new CryptoError('malformed');
  return parseBasicAnswer(readDer(expectTag(basic, derTag.octetString).content));
}

function parseBasicAnswer(node: DerNode): RevocationAnswer {
  const [signed, algorithm, signature, certificates, ...others] = readSequence(node);
  if (others.length > 0) throw new CryptoError('malformed');
  const tbs = expectTag(signed, derTag.sequence);
  const [signer, producedAt, statuses, extensions, ...more] = tbs.children();
  readDate(producedAt);
  // A version would stand first: the only one is the default, which DER leaves out.
  if (more.length > 0) throw new CryptoError('malformed');
  if (extensions !== undefined) refuseCritical(extensions);
  const entries = readSequence(statuses).map(readStatus);
  if (entries.length === 0) throw new CryptoError('malformed');
  return {
    tbs: tbs.raw,
    signatureAlgorithm: expectTag(algorithm, derTag.sequence).raw,
    signature: readBitString(signature),
    signer: readSigner(signer),
    statuses: entries,
    delegates: certificates === undefined ? [] : readDelegates(certificates),
  };
}

function readSigner(node: DerNode | undefined): RevocationAnswer['signer'] {
  if (node?.tag === contextTag(1)) return { by: 'name', value: expectTag(only(node), derTag.sequence).raw };
  const value = expectTag(only(expectTag(node, contextTag(2))), derTag.octetString).content;
  if (value.length !== 20) throw new CryptoError('malformed');
  return { by: 'key', value };
}

function readStatus(node: DerNode): CertificateStatus {
  const [id, status, thisUpdate, ...rest] = readSequence(node);
  const nextUpdate = rest[0]?.tag === contextTag(0) ? rest.shift() : undefined;
  const extensions = rest.shift();
  if (rest.length > 0) throw new CryptoError('malformed');
  if (extensions !== undefined) refuseCritical(extensions);
  return {
    ...readCertificateId(id),
    status: readStatusName(status),
    thisUpdateMs: readDate(thisUpdate),
    nextUpdateMs: nextUpdate === undefined ? null : readDate(only(nextUpdate)),
  };
}

function readCertificateId(node: DerNode | undefined) {
  const [algorithm, nameHash, keyHash, serialNumber, ...others] = readSequence(node);
  const known = hashesByIdentifier[toHex(expectTag(algorithm, derTag.sequence).raw.subarray(0, 32))];
  const [issuerNameHash, issuerKeyHash] = [nameHash, keyHash].map(
    (hash) => expectTag(hash, derTag.octetString).content,
  );
  if (known === undefined || others.length > 0) throw new CryptoError('malformed');
  const [hash, length] = known;
  if (issuerNameHash?.length !== length || issuerKeyHash?.length !== length) throw new CryptoError('malformed');
  return { hash, issuerNameHash, issuerKeyHash, serialNumber: readInteger(serialNumber) };
}

function readStatusName(node: DerNode | undefined): CertificateStatus['status'] {
  if (node?.tag === contextTag(1)) {
    const [revokedAt, reason, ...others] = node.children();
    readDate(revokedAt);
    // A certificate on hold (reason 6) is revoked like any other: nobody vouches for it now.
    const isReason =
      reason === undefined || expectTag(only(expectTag(reason, contextTag(0))), derTag.enumerated).content.length === 1;
    if (!isReason || others.length > 0) throw new CryptoError('malformed');
    return 'revoked';
  }
  const names = new Map<number | undefined, CertificateStatus['status']>([
    [0x80, 'good'],
    [0x82, 'unknown'],
  ]);
  const name = names.get(node?.tag);
  if (name === undefined || node?.content.length !== 0) throw new CryptoError('malformed');
  return name;
}

function readDelegates(node: DerNode): AnswerDelegate[] {
  const list = readSequence(only(expectTag(node, contextTag(0))));
  if (list.length === 0 || list.length > maximumCertificates) throw new CryptoError('malformed');
  return list.map(({ raw }) => {
    const certificate = parseCertificate(raw);
    const purposes = certificate.extensions.get('2.5.29.37');
    return {
      certificate,
      keyBits: readKeyBits(certificate),
      purposes: purposes === undefined ? [] : readSequence(readDer(purposes.value)).map((node) => readOid(node)),
    };
  });
}

function refuseCritical(node: DerNode): void {
  for (const [oid, { critical }] of readExtensions(node, 1)) {
    if (critical && oid !== nonceOid) throw new CryptoError('malformed');
  }
}

/** GeneralizedTime alone (RFC 6960 §4.2.2.1). */
function readDate(node: DerNode | undefined): number {
  return readTime(expectTag(node, derTag.generalizedTime));
}

function only(node: DerNode): DerNode {
  const [first, ...others] = node.children();
  if (first === undefined || others.length > 0) throw new CryptoError('malformed');
  return first;
}

/** The bits of a certificate's key, without algorithm: what answers and requests hash of an issuer. */
export function readKeyBits({ subjectPublicKeyInfo }: Certificate): Bytes {
  const [algorithm, bits, ...others] = readSequence(readDer(subjectPublicKeyInfo));
  expectTag(algorithm, derTag.sequence);
  if (others.length > 0) throw new CryptoError('malformed');
  return readBitString(bits);
}
