import { type Bytes, concat, fromHex, toHex } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { readDer, readInteger, readSequence } from './der.ts';

/** The vendors sign with these. */
export type SignatureAlgorithm = 'ecdsa-p256-sha256' | 'ecdsa-p384-sha384' | 'rsa-pss-sha384';

const platformNames = {
  'ecdsa-p256-sha256': {
    key: { name: 'ECDSA', namedCurve: 'P-256' },
    check: { name: 'ECDSA', hash: 'SHA-256' },
  },
  'ecdsa-p384-sha384': {
    key: { name: 'ECDSA', namedCurve: 'P-384' },
    check: { name: 'ECDSA', hash: 'SHA-384' },
  },
  'rsa-pss-sha384': {
    key: { name: 'RSA-PSS', hash: 'SHA-384' },
    check: { name: 'RSA-PSS', saltLength: 48 },
  },
} as const;

const sha384 = '300d06096086480165030402020500';
const pssStart = `06092a864886f70d01010a3039a00f${sha384}a11c301a06092a864886f70d010108${sha384}a203020130`;
/**
 * Whole AlgorithmIdentifiers: what differs in a parameter is another algorithm. RSASSA-PSS is SHA-384, MGF1 with SHA-384,
 * a salt of 48 bytes (RFC 4055 §3.1); AMD writes the trailer field, which is the default, and others leave it out.
 */
const algorithmsByIdentifier: Readonly<Record<string, SignatureAlgorithm>> = {
  '300a06082a8648ce3d040302': 'ecdsa-p256-sha256',
  '300a06082a8648ce3d040303': 'ecdsa-p384-sha384',
  [`3046${pssStart}a303020101`]: 'rsa-pss-sha384',
  [`3041${pssStart.replace('0a3039', '0a3034')}`]: 'rsa-pss-sha384',
};

/** @param identifier - An AlgorithmIdentifier in DER. @returns null for any other algorithm. */
export function nameSignatureAlgorithm(identifier: Bytes): SignatureAlgorithm | null {
  return algorithmsByIdentifier[toHex(identifier.subarray(0, 128))] ?? null;
}

/**
 * @param input.subjectPublicKeyInfo - DER, as in a certificate.
 * @param input.signature - ECDSA: `r || s`, big-endian, 64 or 96 bytes; RSA: as it is.
 * @returns false as well where the key is of another sort or no key at all.
 */
export async function verifySignature(input: {
  readonly subjectPublicKeyInfo: Bytes;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Bytes;
  readonly message: Bytes;
}): Promise<boolean> {
  const { key, check } = platformNames[input.algorithm];
  try {
    // Some platforms read a key and leave the bytes behind it.
    const { raw } = readDer(input.subjectPublicKeyInfo);
    const publicKey = await crypto.subtle.importKey('spki', raw, key, false, ['verify']);
    return await crypto.subtle.verify(check, publicKey, input.signature, input.message);
  } catch {
    return false;
  }
}

/** The key of a bare curve point as verifySignature takes it. @param point - `x || y`: 64 bytes of P-256, 96 of P-384. */
export function ecPublicKeyInfo(point: Uint8Array): Bytes {
  if (point.length === 64) return concat(fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004'), point);
  if (point.length === 96) return concat(fromHex('3076301006072a8648ce3d020106052b8104002203620004'), point);
  throw new CryptoError('malformed');
}

/**
 * Ecdsa-Sig-Value (RFC 3279 §2.2.3) to what WebCrypto takes.
 *
 * @param size - Bytes of each number: 32 or 48.
 * @throws {CryptoError} `malformed`.
 */
export function ecdsaDerToRaw(signature: Bytes, size: 32 | 48): Bytes {
  const [r, s, ...others] = readSequence(readDer(signature)).map((node) => readInteger(node));
  if (r === undefined || s === undefined || others.length > 0 || r.length > size || s.length > size) {
    throw new CryptoError('malformed');
  }
  return concat(new Uint8Array(size - r.length), r, new Uint8Array(size - s.length), s);
}

/** A signature as it stands in a certificate, a revocation list or a report: DER for ECDSA. */
export async function verifyDerSignature(input: {
  readonly subjectPublicKeyInfo: Bytes;
  /** DER of the AlgorithmIdentifier. */
  readonly algorithm: Bytes;
  readonly signature: Bytes;
  readonly message: Bytes;
}): Promise<boolean> {
  const algorithm = nameSignatureAlgorithm(input.algorithm);
  if (algorithm === null) return false;
  let { signature } = input;
  if (algorithm !== 'rsa-pss-sha384') {
    try {
      signature = ecdsaDerToRaw(signature, algorithm === 'ecdsa-p256-sha256' ? 32 : 48);
    } catch {
      return false;
    }
  }
  return verifySignature({ ...input, algorithm, signature });
}
