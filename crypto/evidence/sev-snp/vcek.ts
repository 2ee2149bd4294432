import { type Bytes, decodeUtf8 } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import type { Certificate } from '../x509/certificate.ts';
import { derTag, expectTag, readDer, readSmallInteger } from '../x509/der.ts';
import { type AmdProduct, amdProducts } from './amd-product.ts';
import { tcbLayout } from './tcb-version.ts';

/** A VCEK says this of the chip and the firmware that its key belongs to (AMD 57230, table 10 on). */
export type VcekStatement = {
  readonly product: AmdProduct;
  /** 8 bytes, laid out as in the product's reports. */
  readonly tcb: Bytes;
  /** 64, or 8 from Turin on. */
  readonly chipId: Bytes;
};

const arcs = '1.3.6.1.4.1.3704.1';

/** @throws {CryptoError} `malformed` where an extension is missing or no VCEK of a known product has such a one. */
export function readVcekStatement({ extensions }: Certificate): VcekStatement {
  const valueOf = (arc: string): Bytes => {
    const extension = extensions.get(`${arcs}.${arc}`);
    if (extension === undefined) throw new CryptoError('malformed');
    return extension.value;
  };
  const byteOf = (arc: string): number => {
    const value = readSmallInteger(readDer(valueOf(arc)));
    if (value > 255) throw new CryptoError('malformed');
    return value;
  };
  const name = decodeUtf8(expectTag(readDer(valueOf('2')), derTag.ia5String).content);
  // A stepping may follow, as in `Milan-B0`.
  const product = amdProducts.find((entry) => name === entry || new RegExp(`^${entry}-[A-Z][0-9]$`).test(name));
  const isTurin = product === 'Turin';
  const chipId = valueOf('4');
  // A fifth extension names a cloud provider: that is a VLEK, which many machines share.
  const isVcek = !extensions.has(`${arcs}.5`) && chipId.length === (isTurin ? 8 : 64);
  if (product === undefined || !isVcek || byteOf('1') !== (isTurin ? 1 : 0)) throw new CryptoError('malformed');
  const tcb = Uint8Array.from(tcbLayout(product).map((component) => byteOf(`3.${component}`)));
  return { product, tcb, chipId };
}
