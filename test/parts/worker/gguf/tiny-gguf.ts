import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { encodeGguf, type GgufTensor } from './gguf-format.ts';

/** Sizes of the model: as small as llama.cpp's Qwen3 graph takes. */
const width = 64;
const layers = 2;
const heads = 4;
const keyValueHeads = 2;
const headLength = 16;
const feedForward = 128;

const chatTemplate =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** llama.cpp's token types. */
const tokenType = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;
const specials = ['<unk>', '<s>', '</s>', '<|im_start|>', '<|im_end|>'] as const;
const byteTokens = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
/** SentencePiece turns every space into U+2581 before it looks for tokens. */
const space = '\u2581';
const vocabulary = [...specials, ...byteTokens, space];

/**
 * Writes a model file with random weights: Qwen3, two layers, one token a byte. A real engine loads it and streams from it, so
 * the real code is tested without a download; what it says is noise, in printable ASCII for the most part, and it does not end
 * by itself before the limit of tokens.
 *
 * @param path - A new file, 440 KB.
 * @param seed - The same seed writes the same bytes.
 * @returns the file's length and its sha256 in hex, for code that checks downloads.
 */
export async function writeTinyGguf(path: string, seed = 1): Promise<{ length: number; sha256: string }> {
  const bytes = encodeGguf(metadata, tensors(seed));
  await writeFile(path, bytes);
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

const metadata = {
  'general.architecture': 'qwen3',
  'general.name': 'Sotto tiny test model',
  'general.alignment': { u32: 32 },
  'general.file_type': { u32: 0 },
  'qwen3.block_count': { u32: layers },
  'qwen3.context_length': { u32: 4096 },
  'qwen3.embedding_length': { u32: width },
  'qwen3.feed_forward_length': { u32: feedForward },
  'qwen3.attention.head_count': { u32: heads },
  'qwen3.attention.head_count_kv': { u32: keyValueHeads },
  'qwen3.attention.key_length': { u32: headLength },
  'qwen3.attention.value_length': { u32: headLength },
  'qwen3.attention.layer_norm_rms_epsilon': { f32: 1e-6 },
  'qwen3.rope.freq_base': { f32: 1e6 },
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': { strings: vocabulary },
  'tokenizer.ggml.scores': { f32s: vocabulary.map(() => 0) },
  'tokenizer.ggml.token_type': {
    i32s: vocabulary.map((_, id) => {
      if (id === 0) return tokenType.unknown;
      if (id < specials.length) return tokenType.control;
      return id < specials.length + 256 ? tokenType.byte : tokenType.normal;
    }),
  },
  'tokenizer.ggml.unknown_token_id': { u32: 0 },
  'tokenizer.ggml.bos_token_id': { u32: 1 },
  'tokenizer.ggml.eos_token_id': { u32: specials.indexOf('<|im_end|>') },
  'tokenizer.ggml.add_bos_token': false,
  'tokenizer.ggml.add_space_prefix': false,
  'tokenizer.chat_template': chatTemplate,
} as const;

function tensors(seed: number): GgufTensor[] {
  const next = generator(seed);
  const random = (name: string, columns: number, rows: number, spread = 1 / Math.sqrt(columns)): GgufTensor => ({
    name: `${name}.weight`,
    shape: [columns, rows],
    values: Float32Array.from({ length: columns * rows }, () => next() * spread),
  });
  const ones = (name: string, length: number): GgufTensor => ({
    name: `${name}.weight`,
    shape: [length],
    values: new Float32Array(length).fill(1),
  });
  const blocks = Array.from({ length: layers }, (_, layer) => [
    ones(`blk.${layer}.attn_norm`, width),
    random(`blk.${layer}.attn_q`, width, heads * headLength),
    random(`blk.${layer}.attn_k`, width, keyValueHeads * headLength),
    random(`blk.${layer}.attn_v`, width, keyValueHeads * headLength),
    random(`blk.${layer}.attn_output`, heads * headLength, width),
    ones(`blk.${layer}.attn_q_norm`, headLength),
    ones(`blk.${layer}.attn_k_norm`, headLength),
    ones(`blk.${layer}.ffn_norm`, width),
    random(`blk.${layer}.ffn_gate`, width, feedForward),
    random(`blk.${layer}.ffn_up`, width, feedForward),
    random(`blk.${layer}.ffn_down`, feedForward, width),
  ]);
  return [
    random('token_embd', width, vocabulary.length, 1),
    ones('output_norm', width),
    printableOnly(random('output', width, vocabulary.length, 1)),
    ...blocks.flat(),
  ];
}

/** Zeroes the rows of all but printable ASCII bytes: their logit is 0, far below the best of the others. */
function printableOnly(output: GgufTensor): GgufTensor {
  for (let id = 0; id < vocabulary.length; id += 1) {
    const byte = id - specials.length;
    if (byte < 0x20 || byte > 0x7e) output.values.fill(0, id * width, (id + 1) * width);
  }
  return output;
}

/** mulberry32, stretched to -1.7 to 1.7, which has a standard deviation of 1. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 - 0.5) * Math.sqrt(12);
  };
}
