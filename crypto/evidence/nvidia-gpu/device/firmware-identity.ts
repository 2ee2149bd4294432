import type { Bytes } from '../../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../../protocol/bytes/errors.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { contextTag, type DerNode, derTag, expectTag, readDer, readOid, readSequence } from '../../x509/der.ts';

const sha384Oid = '2.16.840.1.101.3.4.2.2';
/** TCG DICE: the composite device id (Hopper), and the TCB info that came after it (Blackwell). */
const compositeDeviceIdOid = '2.23.133.5.4.1';
const tcbInfoOid = '2.23.133.5.4.1.1';

/**
 * The digest of the firmware for which a GPU's attestation key was certified: a GPU that starts other firmware gets another key.
 *
 * @returns 48 bytes, or null where the certificate names none.
 * @throws {CryptoError} `malformed`.
 */
export function readCertifiedFirmware(leaf: Certificate, architecture: 'HOPPER' | 'BLACKWELL'): Bytes | null {
  const isHopper = architecture === 'HOPPER';
  const extension = leaf.extensions.get(isHopper ? compositeDeviceIdOid : tcbInfoOid);
  if (extension === undefined) return null;
  const fields = readSequence(readDer(extension.value));
  if (isHopper) {
    // version, public key of the device, firmware id
    if (fields.length !== 3) throw new CryptoError('malformed');
    return readFirmwareId(fields[2]);
  }
  // The list of firmware ids is member 6; that of the layer that holds the key comes first.
  const [list, ...others] = fields.filter(({ tag }) => tag === contextTag(6));
  if (list === undefined || others.length > 0) throw new CryptoError('malformed');
  return readFirmwareId(list.children()[0]);
}

function readFirmwareId(node: DerNode | undefined): Bytes {
  const [algorithm, digest, ...others] = readSequence(node);
  const { content } = expectTag(digest, derTag.octetString);
  const isDigest = readOid(algorithm) === sha384Oid && content.length === 48 && others.length === 0;
  if (!isDigest) throw new CryptoError('malformed');
  return content;
}
