import { isModelId } from '../../../process/settings/value-kinds.ts';
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { modelField } from '../../../crypto/protocol/messages/fields.ts';
import { listOf, memberOf, textOf } from './wire/json-members.ts';

/** One model of a server's list. */
export type ListedModel = {
  /** The id as the server wants it: a path, words with blanks, any script. */
  readonly id: string;
  readonly canChat: boolean;
};

const maximumModels = 1_000;

/** Servers say with these words that a model is for something other than answering. */
const otherUses =
  /embed|rerank|rank|classif|score|reward|moderat|transcri|speech|audio|asr|tts|image|diffusion|video|token-classification|feature-extraction|similarity|ocr/i;
const chatUses = /chat|completion|generat|llm|vlm|text-generation|conversational|image-text-to-text|any-to-any/i;
/** Names of models that answer nothing, where the server does not say what they are for. */
const otherNames =
  /embed|rerank|whisper|moderation|transcribe|diffusion|dall-?e|\b(bge|e5|gte|tts|asr|sdxl|flux|clip|guard|colbert|splade|minilm|kokoro|parakeet|bark|piper|musicgen|sora|veo|imagen|realtime|voyage|mpnet|mxbai|paraphrase)\b|-guard|gpt-(image|audio)|gpt-\S+-audio|text-(davinci|babbage|ada|curie)|(davinci|babbage)-002/i;

/** Reads a list of models in any of its forms; null for what is none. */
export function readModelList(body: unknown): readonly ListedModel[] | null {
  const list = listIn(body);
  if (list === null) return null;
  const models = list.slice(0, maximumModels).flatMap((entry) => {
    const id = typeof entry === 'string' ? entry : idOf(entry);
    return isModelId(id) ? [{ id, canChat: canChat(id, entry) }] : [];
  });
  return [...new Map(models.map((model) => [model.id, model])).values()];
}

function listIn(body: unknown): readonly unknown[] | null {
  const members = ['data', 'models', 'result'].map((name) => memberOf(body, name));
  const list = [body, ...members].find((value) => Array.isArray(value));
  if (list !== undefined) return list as readonly unknown[];
  // Models by their names.
  const named = Object.entries(members[1] ?? {}) as [string, unknown][];
  if (named.length > 0) {
    return named.flatMap(([id, entry]) => (typeof entry === 'object' && entry !== null ? [{ id, ...entry }] : []));
  }
  // Servers in Go write an empty list as null.
  const isEmpty = members.includes(null) && (textOf(body, 'object') === 'list' || members[1] === null);
  return isEmpty ? [] : null;
}

function idOf(entry: unknown): string {
  const id = textOf(entry, 'id');
  const name = textOf(entry, 'name');
  // A catalogue's own number of a model is none of its names.
  const isNumber = /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(id) && name !== '';
  return (isNumber ? '' : id) || textOf(entry, 'model') || name || textOf(entry, 'model_name');
}

function canChat(id: string, entry: unknown): boolean {
  const says = memberOf(entry, 'supports_chat') ?? memberOf(entry, 'active');
  if (says === false) return false;
  const uses = usesOf(entry);
  if (uses.some((use) => chatUses.test(use) && !otherUses.test(use))) return true;
  if (uses.some((use) => otherUses.test(use))) return false;
  return !otherNames.test(id);
}

/** Every word of an entry that says what the model is for. */
function usesOf(entry: unknown): string[] {
  const capabilities = memberOf(entry, 'capabilities');
  const outputs = listOf(memberOf(entry, 'architecture'), 'output_modalities');
  return [
    ...['type', 'task', 'mode', 'model_type', 'pipeline_tag'].map((name) => textOf(entry, name)),
    textOf(memberOf(entry, 'task'), 'name'),
    ...listOf(entry, 'capabilities'),
    ...listOf(entry, 'endpoints'),
    ...listOf(entry, 'tasks'),
    ...(Array.isArray(capabilities) ? [] : namesOfTrue(capabilities)),
    ...(outputs.length > 0 ? [outputs.includes('text') ? 'chat' : 'image'] : []),
  ].filter((use): use is string => typeof use === 'string' && use !== '' && use !== 'model');
}

function namesOfTrue(capabilities: unknown): string[] {
  if (typeof capabilities !== 'object' || capabilities === null) return [];
  return Object.entries(capabilities).flatMap(([name, value]) => (value === true ? [name] : []));
}

/**
 * The name under which clients ask for a model and people see it: the id where it fits a header, else its last part in
 * plain characters.
 */
export function readableName(id: string): string {
  if (isModelName(id)) return id;
  // A folder of Hugging Face's cache ends in a digest.
  const cached = /models--([^/\\]+)/.exec(id)?.[1]?.replaceAll('--', '/');
  if (cached !== undefined && isModelName(cached)) return cached;
  const parts = id.split(/[/\\]/).filter((part) => /[\p{L}\p{N}]/u.test(part));
  const plain = (parts.at(-1) ?? '')
    .replace(/\.(gguf|safetensors|bin)$/i, '')
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^A-Za-z0-9._:@+-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 128)
    .replace(/-+$/, '');
  if (plain.length >= 2) return plain;
  return `model-${createHash('sha256').update(id).digest('hex').slice(0, 8)}`;
}

function isModelName(name: string): boolean {
  return v.is(modelField, name);
}

/** For a terminal: a few of them, none longer than a line. */
export function listNames(models: readonly ListedModel[]): string {
  const shown = models.slice(0, 8).map(({ id }) => (id.length > 80 ? `${id.slice(0, 79).toWellFormed()}…` : id));
  const rest = models.length - shown.length;
  return `${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
