/** A value of GGUF's header, with its type where JavaScript's own does not say it. */
export type GgufValue =
  | string
  | boolean
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly strings: readonly string[] }
  | { readonly f32s: readonly number[] }
  | { readonly i32s: readonly number[] };

/** One 32-bit float tensor; the first dimension of `shape` is the one that is contiguous. */
export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Type numbers of the format (ggml's docs/gguf.md). */
const type = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;
const tensorTypeF32 = 0;
const alignment = 32;

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const f32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};
const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const string = (text: string): Buffer => Buffer.concat([u64(Buffer.byteLength(text)), Buffer.from(text)]);
const array = (elementType: number, elements: readonly Buffer[]): Buffer =>
  Buffer.concat([u32(type.array), u32(elementType), u64(elements.length), ...elements]);
const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((alignment - (bytes.length % alignment)) % alignment)]);

/** Encodes a GGUF version 3 file, little-endian, aligned to 32 bytes. */
export function encodeGguf(metadata: Readonly<Record<string, GgufValue>>, tensors: readonly GgufTensor[]): Buffer {
  const entries = Object.entries(metadata);
  const header = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(entries.length)];
  const values = entries.map(([key, value]) => Buffer.concat([string(key), encodeValue(value)]));
  const infos: Buffer[] = [];
  const contents: Buffer[] = [];
  let offset = 0;
  for (const { name, shape, values: numbers } of tensors) {
    infos.push(string(name), u32(shape.length), ...shape.map(u64), u32(tensorTypeF32), u64(offset));
    const content = padded(Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength));
    contents.push(content);
    offset += content.length;
  }
  return Buffer.concat([padded(Buffer.concat([...header, ...values, ...infos])), ...contents]);
}

function encodeValue(value: GgufValue): Buffer {
  if (typeof value === 'string') return Buffer.concat([u32(type.string), string(value)]);
  if (typeof value === 'boolean') return Buffer.concat([u32(type.bool), Buffer.from([value ? 1 : 0])]);
  if ('u32' in value) return Buffer.concat([u32(type.u32), u32(value.u32)]);
  if ('f32' in value) return Buffer.concat([u32(type.f32), f32(value.f32)]);
  if ('strings' in value) return array(type.string, value.strings.map(string));
  if ('f32s' in value) return array(type.f32, value.f32s.map(f32));
  return array(type.i32, value.i32s.map(u32));
}
