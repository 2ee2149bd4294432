import * as v from 'valibot';
import { machineKinds } from '../messages/evidence-messages.ts';
import { protectionLevel } from '../protection-level.ts';
import {
  bytesField,
  countField,
  formatField,
  hashField,
  idField,
  modelField,
  timeMsField,
} from '../messages/fields.ts';

/** Longest text of one message in UTF-16 units; the sealed request has its own limit in bytes. */
export const maximumMessageLength = 200_000;
export const maximumTitleLength = 200;

const messageText = v.pipe(v.string(), v.maxLength(maximumMessageLength));

/** A value and when it was set: the last writer wins for each field by itself. */
function lastWriterField<T extends v.GenericSchema>(value: T) {
  return v.strictObject({ value, setAtMs: timeMsField });
}

/** A conversation's properties. */
export const conversationContent = v.strictObject({
  type: v.literal('conversation'),
  format: formatField,
  createdAtMs: timeMsField,
  title: lastWriterField(v.pipe(v.string(), v.maxLength(maximumTitleLength))),
  /** Part of every sealed request, so that two conversations never share a prefix cache. */
  cacheSalt: hashField,
  /** Set by the person for this conversation alone; it holds until the account's own is set again. */
  minimumProtection: v.exactOptional(lastWriterField(protectionLevel)),
});

/** A person wrote this; with it lies the key that opens the reply. Never changed after it is stored. */
export const messageContent = v.strictObject({
  type: v.literal('message'),
  format: formatField,
  conversationId: idField,
  /** The message or reply before this one; null at the beginning. Two children make a branch. */
  parentId: v.nullable(idField),
  createdAtMs: timeMsField,
  text: messageText,
  turnId: idField,
  turnKey: bytesField(32),
  /** Where the compact reply will be. */
  replyItemId: idField,
  /** The verification that this question was first sealed on the ground of. */
  verificationItemId: v.exactOptional(idField),
});

/** How a reply ended. `cut-off`: the transcript stops before END. */
export const replyOutcomes = ['complete', 'stopped', 'length', 'error', 'busy', 'cut-off'] as const;

/** The reply, compact, in place of its transcript. */
export const replyContent = v.strictObject({
  type: v.literal('reply'),
  format: formatField,
  conversationId: idField,
  parentId: idField,
  turnId: idField,
  createdAtMs: timeMsField,
  text: v.pipe(v.string(), v.maxLength(2_000_000)),
  reasoning: v.pipe(v.string(), v.maxLength(2_000_000)),
  outcome: v.picklist(replyOutcomes),
  /** SHA-256 over the transcript that was shown. */
  transcriptHash: hashField,
  model: modelField,
  engine: v.pipe(v.string(), v.maxLength(32)),
  /** The sentence that the shield showed when the question was sent. */
  protection: v.pipe(v.string(), v.maxLength(500)),
  usage: v.nullable(v.strictObject({ promptTokens: countField(), replyTokens: countField() })),
});

/** A word of a fixed list that grows: a reader passes over those that it does not know. */
const replyCode = v.pipe(v.string(), v.maxLength(32), v.regex(/^[a-z][a-z0-9-]*$/));

/** The reply is whole, and FINAL never came. */
export const endedEarlyCode = 'ended-early';

/**
 * Holds what END and the notes of a reply said and its compact reply does not hold. It stands beside every compact reply,
 * whatever was said: else the relay would see which replies had something to note.
 */
export const replyNoteContent = v.strictObject({
  type: v.literal('reply-note'),
  format: formatField,
  conversationId: idField,
  turnId: idField,
  /** Why the reply ended as it did, the finest reason first; and that the relay ended it early (SPEC.md §5.1). */
  codes: v.pipe(v.array(replyCode), v.maxLength(8)),
  /** How many of the oldest messages the model was not given. */
  leftOut: countField(),
});

export const settingsContent = v.strictObject({
  type: v.literal('settings'),
  format: formatField,
  theme: lastWriterField(v.picklist(['system', 'light', 'dark'])),
  /** The level that an enclave must offer before anything is sealed to it. */
  minimumProtection: v.exactOptional(lastWriterField(protectionLevel)),
});

/** Longest value of one preference in UTF-16 units. */
export const maximumPreferenceLength = 8_192;

/** One small thing of the account by its name, so that a small feature needs no type of its own (SPEC.md §5.1). */
export const preferenceContent = v.strictObject({
  type: v.literal('preference'),
  format: formatField,
  name: v.pipe(v.string(), v.maxLength(64), v.regex(/^[a-z][a-z0-9-]*$/)),
  value: v.pipe(v.string(), v.maxLength(maximumPreferenceLength)),
  setAtMs: timeMsField,
});

/** Longest verification document in bytes (SPEC.md §9.10). */
export const maximumDocumentLength = 8 * 1024 * 1024;

const verificationEntries = {
  type: v.literal('verification'),
  verifiedAtMs: timeMsField,
  /** The turn that was sealed anew on its ground, after its message was stored with another one. */
  turnId: v.exactOptional(idField),
  kind: v.picklist(machineKinds),
  level: protectionLevel,
  model: modelField,
  measurement: v.nullable(v.pipe(v.string(), v.maxLength(512))),
  /** Version of the release that the measurement belongs to. */
  release: v.nullable(v.pipe(v.string(), v.maxLength(64))),
  /** Canonical JSON of a `verificationDocument`. */
  document: v.pipe(v.string(), v.minLength(2), v.maxLength(maximumDocumentLength)),
};

/**
 * Holds what was verified before questions were sealed, with all that it was verified from (SPEC.md §9.10). Format 1 holds a
 * document of format 1, in words. A document of format 2 makes the item one of format 2, so that an older build leaves it
 * alone.
 */
export const verificationContent = v.strictObject({ ...verificationEntries, format: v.picklist([1, 2]) });

export const itemContent = v.variant('type', [
  conversationContent,
  messageContent,
  preferenceContent,
  replyContent,
  replyNoteContent,
  settingsContent,
  verificationContent,
]);

export type ConversationContent = v.InferOutput<typeof conversationContent>;
export type MessageContent = v.InferOutput<typeof messageContent>;
export type PreferenceContent = v.InferOutput<typeof preferenceContent>;
export type ReplyContent = v.InferOutput<typeof replyContent>;
export type ReplyNoteContent = v.InferOutput<typeof replyNoteContent>;
export type SettingsContent = v.InferOutput<typeof settingsContent>;
export type VerificationContent = v.InferOutput<typeof verificationContent>;
export type ItemContent = v.InferOutput<typeof itemContent>;
export type ReplyOutcome = (typeof replyOutcomes)[number];
