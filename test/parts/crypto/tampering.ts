/** Ways to change bytes that no reader may accept; every place is flipped, so keep the bytes short. */
export function* tamperings(bytes: Uint8Array): Generator<{ readonly name: string; readonly bytes: Uint8Array }> {
  for (let place = 0; place < bytes.length; place++) {
    const changed = bytes.slice();
    changed[place]! ^= 1 << (place % 8);
    yield { name: `bit ${place % 8} of byte ${place}`, bytes: changed };
  }
  for (const length of [0, 1, bytes.length >> 1, bytes.length - 1]) {
    yield { name: `cut to ${length}`, bytes: bytes.slice(0, length) };
  }
  yield { name: 'without its first byte', bytes: bytes.slice(1) };
  yield { name: 'a zero behind', bytes: Uint8Array.of(...bytes, 0) };
  yield { name: 'a zero before', bytes: Uint8Array.of(0, ...bytes) };
  yield { name: 'twice', bytes: Uint8Array.of(...bytes, ...bytes) };
}

/** Lengths around every boundary that padding and blocks have. */
export const boundaryLengths = [
  ...Array.from({ length: 65 }, (_, length) => length),
  ...[1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 1_114_112, 2_097_152].flatMap((edge) =>
    [-5, -4, -3, 0, 1].map((step) => edge + step),
  ),
];
