import * as v from 'valibot';
import type { OperationOf } from './operation.ts';
import { protectionLevel } from '../../../crypto/protocol/protection-level.ts';
import { bytesField, hashField, idField, timeMsField } from '../../../crypto/protocol/messages/fields.ts';
import { maximumMessageLength, maximumTitleLength } from '../../../crypto/protocol/contents/item-contents.ts';

/** What the shield showed when Send was pressed: an automatic retry goes nowhere else. */
const shownEnclave = v.strictObject({
  kind: v.string(),
  model: v.string(),
  /** The digest of the weights, as far as the engine shows one. */
  measurement: v.nullable(v.string()),
  engine: v.string(),
  sentence: v.string(),
  /** Not in what an older build left here: then nothing is the same, and the person is asked. */
  level: v.exactOptional(protectionLevel),
  /** What the hardware measured. */
  machine: v.exactOptional(v.nullable(v.string())),
  release: v.exactOptional(v.nullable(v.string())),
});

const setMinimum = v.strictObject({ value: protectionLevel, setAtMs: timeMsField });

const failure = v.strictObject({ code: v.string(), retryAfterMs: v.exactOptional(v.number()) });

/** A question on its way. */
export const turnFields = {
  conversationId: idField,
  /** How the conversation begins, while the relay has none; whichever of its questions comes first brings it. */
  newConversation: v.nullable(
    v.strictObject({
      createdAtMs: timeMsField,
      title: v.pipe(v.string(), v.maxLength(maximumTitleLength)),
      cacheSalt: hashField,
      minimumProtection: v.exactOptional(setMinimum),
    }),
  ),
  messageId: idField,
  replyItemId: idField,
  parentId: v.nullable(idField),
  createdAtMs: timeMsField,
  text: v.pipe(v.string(), v.maxLength(maximumMessageLength)),
  turnId: idField,
  turnKey: bytesField(32),
  shown: v.nullable(shownEnclave),
  stage: v.variant('name', [
    v.strictObject({ name: v.literal('going') }),
    /** Needs the person. */
    v.strictObject({ name: v.literal('failed'), failure }),
    /** Stopped before the relay had it: it is stored with an empty answer. */
    v.strictObject({ name: v.literal('stopped') }),
    /** Its conversation is gone: the words wait for a draft to take them. */
    v.strictObject({ name: v.literal('returned') }),
  ]),
};

export type TurnOperation = OperationOf<'turn', typeof turnFields>;
export type ShownEnclave = v.InferOutput<typeof shownEnclave>;
