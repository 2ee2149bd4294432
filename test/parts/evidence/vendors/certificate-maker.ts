import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  bitString,
  boolean,
  context,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  utf8String,
} from './der-writer.ts';

/** A PKI of one's own for tests: keys, certificates and revocation lists with any fault one asks for. */
export type KeyKind = 'p256' | 'p384' | 'rsa';
export type KeyPair = { readonly kind: KeyKind; readonly privateKey: KeyObject; readonly publicKey: KeyObject };
type Der = Uint8Array<ArrayBuffer>;

export const yearMs = 365 * 24 * 3_600_000;
/** When the tests began: what they make is good from a year before it to a year after it, for real clocks too. */
export const testNowMs = Math.floor(Date.now() / 1000) * 1000;

export function makeKeys(kind: KeyKind): KeyPair {
  if (kind === 'rsa') return { kind, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
  return { kind, ...generateKeyPairSync('ec', { namedCurve: kind === 'p256' ? 'prime256v1' : 'secp384r1' }) };
}

/** A Name of one common name. */
export function name(commonName: string): Der {
  return sequence(set(sequence(oid('2.5.4.3'), utf8String(commonName))));
}

export function extension(dotted: string, critical: boolean, value: Uint8Array): Der {
  return sequence(oid(dotted), ...(critical ? [boolean(true)] : []), octetString(value));
}

/** Basic constraints of a certificate authority and its key usage: certificates and revocation lists. */
export function caExtensions(pathLength?: number): Der[] {
  const limit = pathLength === undefined ? [] : [integer(pathLength)];
  return [
    extension('2.5.29.19', true, sequence(boolean(true), ...limit)),
    extension('2.5.29.15', true, bitString(Uint8Array.of(0b0000_0110), 1)),
  ];
}

/** Basic constraints and key usage (digital signature) of a key at the end of a chain. */
export function leafExtensions(): Der[] {
  return [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, bitString(Uint8Array.of(0b1000_0000), 7)),
  ];
}

const sha384Identifier = sequence(oid('2.16.840.1.101.3.4.2.2'), Uint8Array.of(5, 0));
/** RSASSA-PSS with the parameters given; AMD's own unless told. */
export function pssIdentifier(changes: { saltLength?: number; withTrailer?: boolean; hash?: Der } = {}): Der {
  const { saltLength = 48, withTrailer = true, hash = sha384Identifier } = changes;
  return sequence(
    oid('1.2.840.113549.1.1.10'),
    sequence(
      context(0, hash),
      context(1, sequence(oid('1.2.840.113549.1.1.8'), sha384Identifier)),
      context(2, integer(saltLength)),
      ...(withTrailer ? [context(3, integer(1))] : []),
    ),
  );
}

export function algorithmIdentifier(kind: KeyKind): Der {
  if (kind === 'rsa') return pssIdentifier();
  return sequence(oid(kind === 'p256' ? '1.2.840.10045.4.3.2' : '1.2.840.10045.4.3.3'));
}

/** Signs as a certificate holds it: DER for ECDSA, PSS with a salt of 48 bytes for RSA. */
export function signDer(keys: KeyPair, message: Uint8Array, saltLength = 48): Der {
  const hash = keys.kind === 'p256' ? 'sha256' : 'sha384';
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  return Uint8Array.from(sign(hash, message, { key: keys.privateKey, ...(keys.kind === 'rsa' ? padding : {}) }));
}

/** Signs as WebCrypto takes it: `r || s`. */
export function signRaw(keys: KeyPair, message: Uint8Array): Der {
  const hash = keys.kind === 'p256' ? 'sha256' : 'sha384';
  return Uint8Array.from(sign(hash, message, { key: keys.privateKey, dsaEncoding: 'ieee-p1363' }));
}

export function publicKeyInfo(keys: KeyPair): Der {
  return Uint8Array.from(keys.publicKey.export({ type: 'spki', format: 'der' }));
}

/** `x || y` of an ECDSA key. */
export function publicKeyPoint(keys: KeyPair): Der {
  return publicKeyInfo(keys).slice(keys.kind === 'p256' ? -64 : -96);
}

export type CertificateRequest = {
  /** A common name, or a whole Name. */
  readonly subject: string | Der;
  /** The subject itself unless told. */
  readonly issuer?: string | Der;
  readonly keys: KeyPair;
  /** The subject's own unless told. */
  readonly signer?: KeyPair;
  readonly serialNumber?: number | Uint8Array;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly extensions?: readonly Der[];
  readonly fault?: CertificateFault;
};
/** Departures from RFC 5280; the signature is made over the result, so that this alone is wrong. */
export type CertificateFault = {
  /** Version, serial, algorithm, issuer, validity, subject, key, and extensions where there are any. */
  readonly fields?: (fields: readonly Der[]) => readonly Der[];
  readonly innerAlgorithm?: Der;
  readonly outerAlgorithm?: Der;
  readonly saltLength?: number;
  readonly signature?: (signature: Der) => Der;
  /** Content, algorithm, signature: as they are joined at last. */
  readonly parts?: (parts: readonly Der[]) => readonly Der[];
};

const toName = (value: string | Der) => (typeof value === 'string' ? name(value) : value);

/** @returns the certificate in DER. */
export function makeCertificate(request: CertificateRequest): Der {
  const { subject, issuer = subject, keys, signer = keys, extensions = [], fault = {} } = request;
  const algorithm = algorithmIdentifier(signer.kind);
  const fields = [
    context(0, integer(2)),
    integer(request.serialNumber ?? 1),
    fault.innerAlgorithm ?? algorithm,
    toName(issuer),
    sequence(time(request.notBefore ?? testNowMs - yearMs), time(request.notAfter ?? testNowMs + yearMs)),
    toName(subject),
    publicKeyInfo(keys),
    ...(extensions.length > 0 ? [context(3, sequence(...extensions))] : []),
  ];
  const content = sequence(...(fault.fields?.(fields) ?? fields));
  const signature = signDer(signer, content, fault.saltLength);
  const parts = [content, fault.outerAlgorithm ?? algorithm, bitString(fault.signature?.(signature) ?? signature)];
  return sequence(...(fault.parts?.(parts) ?? parts));
}

export type RevocationListRequest = {
  readonly issuer: string | Der;
  readonly signer: KeyPair;
  readonly revoked?: readonly (number | Uint8Array)[];
  readonly thisUpdate?: number;
  readonly nextUpdate?: number;
  readonly extensions?: readonly Der[];
  /** Same as for certificates; fields: version, algorithm, issuer, times, entries where there are any, extensions. */
  readonly fault?: CertificateFault;
};

/** @returns a revocation list of version 2 in DER. */
export function makeRevocationList(request: RevocationListRequest): Der {
  const { issuer, signer, revoked = [], fault = {} } = request;
  const { extensions = [extension('2.5.29.20', false, integer(1))] } = request;
  const algorithm = algorithmIdentifier(signer.kind);
  const entries = revoked.map((serial) => sequence(integer(serial), time(testNowMs - yearMs)));
  const fields = [
    integer(1),
    fault.innerAlgorithm ?? algorithm,
    toName(issuer),
    time(request.thisUpdate ?? testNowMs - yearMs),
    time(request.nextUpdate ?? testNowMs + yearMs),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    ...(extensions.length > 0 ? [context(0, sequence(...extensions))] : []),
  ];
  const content = sequence(...(fault.fields?.(fields) ?? fields));
  const signature = signDer(signer, content, fault.saltLength);
  const parts = [content, fault.outerAlgorithm ?? algorithm, bitString(fault.signature?.(signature) ?? signature)];
  return sequence(...(fault.parts?.(parts) ?? parts));
}

/** SHA-256 of a certificate in base64url: what a policy names a root by. */
export function certificateDigest(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('base64url');
}

export function toPem(certificate: Uint8Array): string {
  const text = Buffer.from(certificate).toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
}
