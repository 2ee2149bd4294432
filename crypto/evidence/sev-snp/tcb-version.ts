import type { AmdProduct } from './amd-product.ts';

/** Security versions of what a guest has to trust besides the chip (AMD 56860, TCB_VERSION). */
export type TcbVersion = {
  readonly bootLoader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
  /** The version of the first mutable code (FMC): Turin and later only. */
  readonly firmware: number | null;
};

/**
 * Which component each of the eight bytes holds, by the last arc of its extension in a VCEK (AMD 57230, table 10 on): 1 boot
 * loader, 2 TEE, 3 SNP, 8 microcode, 9 FMC, 4 to 7 reserved.
 */
const layouts: Readonly<Record<AmdProduct, readonly number[]>> = {
  Milan: [1, 2, 4, 5, 6, 7, 3, 8],
  Genoa: [1, 2, 4, 5, 6, 7, 3, 8],
  Turin: [9, 1, 2, 3, 5, 6, 7, 8],
};

/** The component that each of the eight bytes holds. */
export function tcbLayout(product: AmdProduct): readonly number[] {
  return layouts[product];
}

/** @param bytes - 8, as in a report. @returns null where reserved bytes are not zero. */
export function readTcbVersion(bytes: Uint8Array, product: AmdProduct): TcbVersion | null {
  const layout = layouts[product];
  const byteOf = (component: number) => bytes[layout.indexOf(component)] ?? 0;
  if (layout.some((component, index) => component >= 4 && component <= 7 && bytes[index] !== 0)) return null;
  return {
    bootLoader: byteOf(1),
    tee: byteOf(2),
    snp: byteOf(3),
    microcode: byteOf(8),
    firmware: layout.includes(9) ? byteOf(9) : null,
  };
}

/** True if no component is lower. A higher one never makes up for a lower one: each closes holes of its own. */
export function isAtLeast(
  actual: TcbVersion,
  least: Omit<TcbVersion, 'firmware'> & { firmware?: number | null },
): boolean {
  return (
    actual.bootLoader >= least.bootLoader &&
    actual.tee >= least.tee &&
    actual.snp >= least.snp &&
    actual.microcode >= least.microcode &&
    (actual.firmware ?? 0) >= (least.firmware ?? 0)
  );
}
