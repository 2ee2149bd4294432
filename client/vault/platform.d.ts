// All that the vault takes by itself from where it runs, beside what crypto/platform.d.ts names. Workers, Node and pages have
// these alike. Everything else comes through surroundings/: clock, storage, locks and channel are missing here on purpose.

/** AES-GCM alone: the key of this device that wraps the keyring (session/keys/session-key.ts). */
declare interface SubtleCrypto {
  generateKey(
    algorithm: { readonly name: 'AES-GCM'; readonly length: 256 },
    extractable: false,
    usages: readonly ('encrypt' | 'decrypt')[],
  ): Promise<CryptoKey>;
  encrypt(algorithm: AesGcmParams, key: CryptoKey, plaintext: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
  decrypt(algorithm: AesGcmParams, key: CryptoKey, ciphertext: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
}

declare interface AesGcmParams {
  readonly name: string;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly additionalData: Uint8Array<ArrayBuffer>;
}

declare class AbortSignal {
  static any(signals: readonly AbortSignal[]): AbortSignal;
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

declare class AbortController {
  readonly signal: AbortSignal;
  abort(): void;
}

declare interface ReadableStreamDefaultReader<Piece> {
  read(): Promise<
    { readonly done: false; readonly value: Piece } | { readonly done: true; readonly value?: undefined }
  >;
  cancel(): Promise<void>;
}

declare interface ReadableStream<Piece> {
  getReader(): ReadableStreamDefaultReader<Piece>;
  cancel(): Promise<void>;
}

declare interface Response {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
}

declare interface RequestInit {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | null;
  readonly signal?: AbortSignal | null;
  readonly credentials?: 'omit' | 'same-origin';
  readonly redirect?: 'error';
  readonly cache?: 'no-store';
  readonly referrerPolicy?: 'no-referrer';
}

declare function fetch(url: string, init?: RequestInit): Promise<Response>;

declare function structuredClone<Value>(value: Value): Value;
