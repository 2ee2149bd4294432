// All that crypto/ may ask of its surroundings: text to bytes, random bytes, and WebCrypto's public-key checks. Browsers, Node
// and Workers have these alike; everything else (clock, network, log, DOM) is missing from this room's types on purpose.

declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: Uint8Array | ArrayBuffer, options?: { stream?: boolean }): string;
}

/** A key inside WebCrypto. */
declare interface CryptoKey {
  readonly type: string;
}

/** Public keys in, yes or no out: certificate chains and vendors' signatures (SPEC.md §9). */
declare interface SubtleCrypto {
  /** By it answers about revoked certificates name keys; nothing rests on it (SPEC.md §9.9). */
  digest(algorithm: 'SHA-1', bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
  importKey(
    format: 'spki',
    key: Uint8Array<ArrayBuffer>,
    algorithm: { readonly name: string; readonly namedCurve?: string; readonly hash?: string },
    extractable: boolean,
    usages: 'verify'[],
  ): Promise<CryptoKey>;
  verify(
    algorithm: { readonly name: string; readonly hash?: string; readonly saltLength?: number },
    key: CryptoKey,
    signature: Uint8Array<ArrayBuffer>,
    message: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
}

declare const crypto: {
  getRandomValues<Bytes extends Uint8Array>(bytes: Bytes): Bytes;
  readonly subtle: SubtleCrypto;
};
