import { type Bytes, decodeUtf8, fromBase64Url, toHex } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import {
  type DerNode,
  derTag,
  expectTag,
  readBoolean,
  readDer,
  readOid,
  readSequence,
  readSmallInteger,
} from '../x509/der.ts';

/** Intel certified this of one processor (SGX PCK Certificate and CRL Profile Specification, 1.3.5). */
export type PckExtensions = {
  /** Family, model, stepping, platform type and SKU: 12 hex digits. */
  readonly fmspc: string;
  /** 4 hex digits. */
  readonly pceId: string;
  /** 16 security versions, 0 to 255 each. */
  readonly componentSvns: readonly number[];
  readonly pceSvn: number;
};

const sgxExtensionOid = '1.2.840.113741.1.13.1';
const components = Array.from({ length: 16 }, (_, index) => index + 1);

/**
 * The three certificates of a quote: the processor's key (PCK), the authority that issued it, the root.
 *
 * @param pem - Lines of 64 characters, ended by LF, and the one zero byte that Intel's library writes behind them.
 * @throws {CryptoError} `malformed`.
 */
export function parsePckChain(pem: Bytes): [pck: Certificate, authority: Certificate, root: Certificate] {
  const text = decodeUtf8(pem.at(-1) === 0 ? pem.subarray(0, -1) : pem);
  const block = String.raw`-----BEGIN CERTIFICATE-----\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{1,64}={0,2}\n)-----END CERTIFICATE-----\n`;
  const match = new RegExp(`^${block}${block}${block}$`).exec(text);
  if (match === null) throw new CryptoError('malformed');
  const read = (index: number) => parseCertificate(decodeBase64((match[index] ?? '').replaceAll('\n', '')));
  return [read(1), read(2), read(3)];
}

/** RFC 4648 §4 with its padding. */
function decodeBase64(text: string): Bytes {
  if (text.length % 4 !== 0) throw new CryptoError('malformed');
  return fromBase64Url(text.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_'));
}

/** @throws {CryptoError} `malformed` for any member that is missing, twice there, unknown or of another form. */
export function readPckExtensions(certificate: Certificate): PckExtensions {
  const extension = certificate.extensions.get(sgxExtensionOid);
  if (extension === undefined) throw new CryptoError('malformed');
  const members = readMembers(readDer(extension.value), sgxExtensionOid);
  const octets = (number: number, length: number) => readOctets(take(members, number), length);
  octets(1, 16);
  const tcb = readMembers(take(members, 2), `${sgxExtensionOid}.2`);
  const componentSvns = components.map((number) => readSmallInteger(take(tcb, number)));
  const pceSvn = readSmallInteger(take(tcb, 17));
  readOctets(take(tcb, 18), 16);
  const pceId = octets(3, 2);
  const fmspc = octets(4, 6);
  const [sgxType, ...others] = expectTag(take(members, 5), derTag.enumerated).content;
  if (sgxType === undefined || sgxType > 2 || others.length > 0) throw new CryptoError('malformed');
  // Platforms with several sockets have an id and flags of how they are configured.
  if (members.has(6)) octets(6, 16);
  if (members.has(7)) {
    const configuration = readMembers(take(members, 7), `${sgxExtensionOid}.7`);
    for (const [number, flag] of configuration) {
      if (number < 1 || number > 3) throw new CryptoError('malformed');
      readBoolean(flag);
    }
  }
  const isInRange = componentSvns.every((svn) => svn <= 255) && pceSvn <= 65_535;
  if (members.size > 0 || tcb.size > 0 || !isInRange) throw new CryptoError('malformed');
  return { fmspc, pceId, componentSvns, pceSvn };
}

/** A SEQUENCE of pairs of name and value, by the last number of the name. */
function readMembers(node: DerNode, prefix: string): Map<number, DerNode> {
  const members = new Map<number, DerNode>();
  for (const pair of readSequence(node)) {
    const [id, value, ...others] = readSequence(pair);
    const name = readOid(id);
    const number = Number(name.slice(prefix.length + 1));
    const isKnown = name === `${prefix}.${number}` && !members.has(number);
    if (!isKnown || value === undefined || others.length > 0) throw new CryptoError('malformed');
    members.set(number, value);
  }
  return members;
}

/** Takes a member out, so that any member left in the end was not expected. */
function take(members: Map<number, DerNode>, number: number): DerNode {
  const node = members.get(number);
  if (node === undefined) throw new CryptoError('malformed');
  members.delete(number);
  return node;
}

function readOctets(node: DerNode, length: number): string {
  const { content } = expectTag(node, derTag.octetString);
  if (content.length !== length) throw new CryptoError('malformed');
  return toHex(content);
}
