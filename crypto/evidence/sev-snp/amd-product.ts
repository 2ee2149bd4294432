import { type Bytes, fromBase64Url } from '../../protocol/bytes/bytes.ts';

/** Generations of EPYC that can run confidential guests; each has a root key and a layout of versions of its own. */
export const amdProducts = ['Milan', 'Genoa', 'Turin'] as const;
export type AmdProduct = (typeof amdProducts)[number];

/** SHA-256 of the DER of each product's ARK, as AMD's key distribution service gives it (`/vcek/v1/<product>/cert_chain`). */
const rootDigests: Readonly<Record<AmdProduct, string>> = {
  Milan: 'adBjtFNE0moulOH0IQ3knvVVMIKH1MF0RFyVY5pUC80',
  Genoa: 'TGWY0ZwYcZxd_Up9M19nTlv-HY-ADOos8nDBDRA9svE',
  Turin: 'HwhBYaRLttk3eKkEh31IGcr6XQXvQZOy3tndnHPdP2o',
};

/** @returns the SHA-256 of the root certificate's DER (32). */
export function pinnedRoot(product: AmdProduct): Bytes {
  return fromBase64Url(rootDigests[product]);
}

/**
 * The product of a processor, by what CPUID and reports of version 3 on call its (combined) family and model.
 *
 * @returns null for any other.
 */
export function productOfCpu(family: number, model: number): AmdProduct | null {
  if (family === 0x19 && model <= 0x0f) return 'Milan';
  // Bergamo and Siena share root and service with Genoa.
  if (family === 0x19 && ((model >= 0x10 && model <= 0x1f) || (model >= 0xa0 && model <= 0xaf))) return 'Genoa';
  if (family === 0x1a && model <= 0x11) return 'Turin';
  return null;
}
