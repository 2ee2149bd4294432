import * as v from 'valibot';
import type { AcceptName } from '../messages/enclave-messages.ts';
import { bytesField, countField, formatField, hashField, idField } from '../messages/fields.ts';
import { maximumMessageLength } from './item-contents.ts';

/** Longest text of one part of a message, in UTF-16 units. */
const maximumPartLength = Math.max(maximumMessageLength, 2_000_000);
/** Longest text that a model is told before the conversation. */
export const maximumSystemLength = maximumMessageLength;
const maximumMessages = 10_000;
/** The most parts of all messages together: lists within lists would otherwise allow millions. */
export const maximumParts = 20_000;
/** Longest image in bytes. Several may stand in one request, which is 16 MiB at most. */
export const maximumImageLength = 8 * 1024 * 1024;

/** Every request brings these (SPEC.md §7.3). */
const sharedEntries = {
  turnKey: bytesField(32),
  /** SHA-256 of the evidence and key statement that the client verified. */
  evidenceDigest: hashField,
  cacheSalt: hashField,
};
const parameters = v.strictObject({
  temperature: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(2))),
  topP: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  maximumTokens: v.optional(v.pipe(countField(1_000_000), v.minValue(1))),
  reasoning: v.optional(v.boolean()),
});
const partText = v.pipe(v.string(), v.maxLength(maximumPartLength));

/** Texts alone, for every worker. */
const plainContent = v.strictObject({
  format: formatField,
  ...sharedEntries,
  messages: v.pipe(
    v.array(v.strictObject({ role: v.picklist(['system', 'user', 'assistant']), text: partText })),
    v.minLength(1),
    v.maxLength(maximumMessages),
  ),
  parameters,
});

const messagePart = v.variant('kind', [
  v.strictObject({ kind: v.literal('text'), text: partText }),
  v.strictObject({
    kind: v.literal('image'),
    mediaType: v.picklist(['image/jpeg', 'image/png', 'image/webp']),
    bytes: bytesField(1, maximumImageLength),
  }),
  /** Words of a document, and where they stand in it. */
  v.strictObject({
    kind: v.literal('passage'),
    text: v.pipe(v.string(), v.minLength(1), v.maxLength(maximumMessageLength)),
    source: v.strictObject({
      fileId: idField,
      name: v.pipe(v.string(), v.maxLength(255)),
      page: v.nullable(v.pipe(countField(1_000_000), v.minValue(1))),
      /** UTF-16 units before the passage in the text of the whole document. */
      start: countField(),
    }),
  }),
]);
const message = v.strictObject({
  role: v.picklist(['user', 'assistant']),
  parts: v.pipe(v.array(messagePart), v.minLength(1), v.maxLength(64)),
});
const messages = v.pipe(
  v.array(message),
  v.minLength(1),
  v.maxLength(maximumMessages),
  v.check((list) => list.reduce((sum, { parts }) => sum + parts.length, 0) <= maximumParts),
  // The list, three values a message, eight a passage.
  v.metadata({ mostValues: 1 + 3 * maximumMessages + 8 * maximumParts }),
);
/** A request may ask a reply to bring these besides itself. */
const wants = v.strictObject({
  title: v.exactOptional(v.literal(true)),
  /** The number of first messages to sum up, and the digest of them, which comes back with the summary (SPEC.md §8.3). */
  summary: v.exactOptional(
    v.strictObject({ covered: hashField, messages: v.pipe(countField(maximumMessages), v.minValue(1)) }),
  ),
});
const chatContent = v.strictObject({
  format: v.literal(2),
  kind: v.literal('chat'),
  ...sharedEntries,
  system: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(maximumSystemLength))),
  /** One of the assistant at the end is to be continued. */
  messages,
  wants,
  parameters,
});
const embedContent = v.strictObject({
  format: v.literal(2),
  kind: v.literal('embed'),
  ...sharedEntries,
  purpose: v.picklist(['passage', 'query']),
  texts: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(8_192))), v.minLength(1), v.maxLength(64)),
});

/** The inside of a sealed request (SPEC.md §7.3): what only the enclave reads. */
export const requestContent = v.variant('format', [plainContent, v.variant('kind', [chatContent, embedContent])]);
export type PlainContent = v.InferOutput<typeof plainContent>;
export type ChatContent = v.InferOutput<typeof chatContent>;
export type RequestContent = v.InferOutput<typeof requestContent>;
export type MessagePart = v.InferOutput<typeof messagePart>;

/** A worker must have named these before a request like this goes there (SPEC.md §9.2). */
export function usesOf(content: RequestContent): Exclude<AcceptName, 'fast'>[] {
  if (content.format === 1) return [];
  if (content.kind === 'embed') return ['embed'];
  const hasImage = content.messages.some(({ parts }) => parts.some(({ kind }) => kind === 'image'));
  return [
    ...(content.messages.at(-1)?.role === 'assistant' ? (['continue'] as const) : []),
    ...(hasImage ? (['images'] as const) : []),
    ...(content.wants.summary === undefined ? [] : (['summary'] as const)),
    ...(content.wants.title === undefined ? [] : (['title'] as const)),
  ];
}

/** Why a reply ended in an error. The client has a text for each: texts/reply-error-texts.ts. */
export const replyErrorCodes = [
  'model-failed',
  'model-unreachable',
  'model-refused',
  'context-too-long',
  'too-many-turns',
  'request-invalid',
] as const;
export type ReplyErrorCode = (typeof replyErrorCodes)[number];

/** Records inside the reply's frames (SPEC.md §8.3), by their kind byte. */
export const replyEnd = v.strictObject({
  outcome: v.picklist(['complete', 'stopped', 'length', 'error', 'busy']),
  /** From a fixed list, never an upstream's words. */
  code: v.nullable(v.picklist(replyErrorCodes)),
  usage: v.nullable(v.strictObject({ promptTokens: countField(), replyTokens: countField() })),
  model: v.pipe(v.string(), v.maxLength(128)),
  engine: v.pipe(v.string(), v.maxLength(32)),
});
export type ReplyEnd = v.InferOutput<typeof replyEnd>;
