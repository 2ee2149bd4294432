import { type Bytes, equalBytes, toHex } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { type CheckCode, refuse } from '../policy/evidence-step.ts';
import { type Certificate, type Extensions, readExtensionList, readExtensions, readSigned } from './certificate.ts';
import { derTag, expectTag, readDer, readInteger, readSequence, readSmallInteger, readTime } from './der.ts';
import { verifyDerSignature } from './signature.ts';

/** An X.509 revocation list of version 2 (RFC 5280 §5.1), read but not yet believed. */
export type RevocationList = {
  readonly tbs: Bytes;
  readonly signatureAlgorithm: Bytes;
  readonly signature: Bytes;
  /** DER of the name. */
  readonly issuer: Bytes;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Serial numbers in hex, without leading zero byte. */
  readonly revokedSerialNumbers: ReadonlySet<string>;
  readonly extensions: Extensions;
};

const maximumLength = 65_536;

/**
 * A complete list of one issuer: partial, indirect and delta lists mark themselves by critical extensions, which are refused.
 *
 * @throws {CryptoError} `malformed`, `too-long` above 64 KiB.
 */
export function parseRevocationList(der: Bytes): RevocationList {
  if (der.length > maximumLength) throw new CryptoError('too-long');
  const { tbs, fields, signatureAlgorithm, signature } = readSigned(readDer(der));
  const [version, algorithm, issuer, thisUpdate, nextUpdate, ...rest] = fields;
  if (readSmallInteger(version) !== 1) throw new CryptoError('malformed');
  if (!equalBytes(expectTag(algorithm, derTag.sequence).raw, signatureAlgorithm)) throw new CryptoError('malformed');
  const revokedSerialNumbers = new Set<string>();
  const entries = rest[0]?.tag === derTag.sequence ? readSequence(rest.shift()) : [];
  for (const entry of entries) {
    const [serialNumber, revokedAt, extensions, ...others] = readSequence(entry);
    readTime(revokedAt);
    if (others.length > 0) throw new CryptoError('malformed');
    if (extensions !== undefined) refuseCritical(readExtensionList(extensions));
    revokedSerialNumbers.add(toHex(readInteger(serialNumber)));
  }
  const extensionsField = rest.shift();
  const extensions: Extensions = extensionsField === undefined ? new Map() : readExtensions(extensionsField, 0);
  refuseCritical(extensions);
  if (rest.length > 0) throw new CryptoError('malformed');
  return {
    tbs,
    signatureAlgorithm,
    signature,
    issuer: expectTag(issuer, derTag.sequence).raw,
    thisUpdateMs: readTime(thisUpdate),
    nextUpdateMs: readTime(nextUpdate),
    revokedSerialNumbers,
    extensions,
  };
}

function refuseCritical(extensions: Extensions): void {
  for (const { critical } of extensions.values()) if (critical) throw new CryptoError('malformed');
}

/**
 * Believes a list for its issuer's signature and its dates.
 *
 * @param input.issuer - Already verified itself.
 * @throws {EvidenceRefused} `chain` (not this issuer's, or one that may sign none), `signature`, `not-yet-valid`,
 *   `outdated-collateral`.
 */
export async function verifyRevocationList(input: {
  readonly list: RevocationList;
  readonly issuer: Certificate;
  readonly nowMs: number;
  /** The line of the checklist; `Revocation list` unless told. */
  readonly check?: CheckCode;
}): Promise<void> {
  const { list, issuer, nowMs, check = 'revocation-list' } = input;
  if (!equalBytes(list.issuer, issuer.subject)) refuse('chain', check, 'list-of-other-issuer');
  if (!issuer.isCa || issuer.keyUsage?.revocationListSigning !== true) {
    refuse('chain', check, 'issuer-may-not-sign-lists');
  }
  const isSigned = await verifyDerSignature({
    subjectPublicKeyInfo: issuer.subjectPublicKeyInfo,
    algorithm: list.signatureAlgorithm,
    signature: list.signature,
    message: list.tbs,
  });
  if (!isSigned) refuse('signature', check, 'list-not-signed');
  if (nowMs < list.thisUpdateMs) refuse('not-yet-valid', check, 'list-of-future');
  if (nowMs > list.nextUpdateMs) refuse('outdated-collateral', check, 'list-outdated');
}
