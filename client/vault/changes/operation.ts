import * as v from 'valibot';
import { protectionLevel } from '../../../crypto/protocol/protection-level.ts';
import { bytesField, hashField, idField, timeMsField } from '../../../crypto/protocol/messages/fields.ts';
import {
  maximumMessageLength,
  maximumTitleLength,
  replyContent,
  replyNoteContent,
  verificationContent,
} from '../../../crypto/protocol/contents/item-contents.ts';

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
const turnOperation = v.strictObject({
  kind: v.literal('turn'),
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
});

const operationSchema = v.variant('kind', [
  v.strictObject({
    kind: v.literal('rename'),
    conversationId: idField,
    title: v.pipe(v.string(), v.maxLength(maximumTitleLength)),
    setAtMs: timeMsField,
  }),
  v.strictObject({ kind: v.literal('delete'), conversationId: idField }),
  v.strictObject({
    kind: v.literal('theme'),
    theme: v.picklist(['system', 'light', 'dark']),
    setAtMs: timeMsField,
    /** Of the settings item, if the account has none yet. */
    itemId: idField,
  }),
  /** What every enclave must offer at least. */
  v.strictObject({ kind: v.literal('minimum'), level: protectionLevel, setAtMs: timeMsField, itemId: idField }),
  v.strictObject({
    kind: v.literal('conversation-minimum'),
    conversationId: idField,
    level: protectionLevel,
    setAtMs: timeMsField,
  }),
  /** What a turn came to rest on after its message was stored. */
  v.strictObject({ kind: v.literal('verification'), itemId: idField, content: verificationContent }),
  /** The compact answer that takes its transcript's place. */
  v.strictObject({
    kind: v.literal('reply'),
    itemId: idField,
    content: replyContent,
    /** What is noted of it; an older build left none here. */
    note: v.exactOptional(v.strictObject({ itemId: idField, content: replyNoteContent })),
    /** What the enclave proposed; used where nobody gave a title. */
    title: v.nullable(v.pipe(v.string(), v.maxLength(maximumTitleLength))),
  }),
  /** Bury what a deletion left that was not carried to its end. */
  v.strictObject({ kind: v.literal('drop-verifications') }),
  /** Forget the leaves of what was deleted long ago. */
  v.strictObject({ kind: v.literal('prune') }),
  turnOperation,
]);

export type Operation = v.InferOutput<typeof operationSchema>;
export type TurnOperation = v.InferOutput<typeof turnOperation>;
export type ShownEnclave = v.InferOutput<typeof shownEnclave>;

/** One at a time for each thing: a later one of the same name takes the place of the earlier. */
export function operationId(operation: Operation): string {
  switch (operation.kind) {
    case 'rename':
    case 'delete':
      return `${operation.kind}:${operation.conversationId}`;
    case 'conversation-minimum':
      return `minimum:${operation.conversationId}`;
    case 'verification':
      return `verification:${operation.itemId}`;
    case 'theme':
    case 'minimum':
    case 'drop-verifications':
    case 'prune':
      return operation.kind;
    case 'reply':
      return `reply:${operation.content.turnId}`;
    case 'turn':
      return `turn:${operation.turnId}`;
  }
}

/** @throws for anything that this build did not write. */
export function parseOperation(text: string): Operation {
  return v.parse(operationSchema, JSON.parse(text));
}
