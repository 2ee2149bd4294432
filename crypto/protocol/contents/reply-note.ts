import * as v from 'valibot';
import { countField, hashField } from '../messages/fields.ts';

/** Why nothing comes yet, or why nothing more came: what END's coarse codes leave open (SPEC.md §8.3). */
export const replyCauses = [
  'model-loading',
  'model-overloaded',
  'quota-spent',
  'key-refused',
  'model-unknown',
  'request-too-large',
  'content-refused',
  'server-failed',
  'not-a-model-server',
  'salt-refused',
  'answer-cut',
  'answer-unreadable',
  'no-answer',
] as const;
export type ReplyCause = (typeof replyCauses)[number];

/** A record that older readers skip. The last one of each kind counts. */
export const replyNote = v.variant('kind', [
  v.strictObject({ kind: v.literal('cause'), cause: v.picklist(replyCauses) }),
  /** The model was given the conversation without so many of its oldest messages. */
  v.strictObject({ kind: v.literal('left-out'), messages: v.pipe(countField(10_000), v.minValue(1)) }),
  /** The text before this record was reasoning. */
  v.strictObject({ kind: v.literal('text-was-reasoning') }),
]);
export type ReplyNote = v.InferOutput<typeof replyNote>;

/** The conversation so far in few words; `covered` is the request's name for the messages that they cover. */
export const replySummary = v.strictObject({
  covered: hashField,
  text: v.pipe(v.string(), v.minLength(1), v.maxLength(8_000)),
});
export type ReplySummary = v.InferOutput<typeof replySummary>;
