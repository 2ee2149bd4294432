import * as v from 'valibot';
import { bytesField, countField, formatField, hashField } from '../messages/fields.ts';
import { maximumMessageLength } from './item-contents.ts';

/** The inside of a sealed request (SPEC.md §7.3): what only the enclave reads. */
export const requestContent = v.strictObject({
  format: formatField,
  turnKey: bytesField(32),
  /** SHA-256 of the evidence and key statement that the client verified. */
  evidenceDigest: hashField,
  cacheSalt: hashField,
  messages: v.pipe(
    v.array(
      v.strictObject({
        role: v.picklist(['system', 'user', 'assistant']),
        text: v.pipe(v.string(), v.maxLength(Math.max(maximumMessageLength, 2_000_000))),
      }),
    ),
    v.minLength(1),
    v.maxLength(10_000),
  ),
  parameters: v.strictObject({
    temperature: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(2))),
    topP: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
    maximumTokens: v.optional(v.pipe(countField(1_000_000), v.minValue(1))),
    reasoning: v.optional(v.boolean()),
  }),
});
export type RequestContent = v.InferOutput<typeof requestContent>;

/** Why an answer ended in an error. The client has a text for each: state/reply-error-texts.ts. */
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
