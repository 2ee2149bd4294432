import * as v from 'valibot';
import { currentFailureCode } from '../../failures/failure-codes.ts';
import type { OperationOf } from './operation.ts';
import { protectionLevel } from '../../../../crypto/protocol/protection-level.ts';
import { bytesField, hashField, idField, timeMsField } from '../../../../crypto/protocol/messages/fields.ts';
import { machineKinds } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { writeProtection } from '../../../../crypto/protocol/contents/protection-sentence.ts';
import { maximumMessageLength, maximumTitleLength } from '../../../../crypto/protocol/contents/item-contents.ts';

/** The shield showed this when Send was pressed: an automatic retry goes nowhere else. */
const currentShown = v.strictObject({
  kind: v.picklist(machineKinds),
  model: v.string(),
  /** Null where the engine does not show its weights. */
  weightsDigest: v.nullable(v.string()),
  engine: v.string(),
  /** Null in what an older build left here: then nothing is the same, and the person is asked. */
  level: v.nullable(protectionLevel),
  /** The measurement that the hardware reported. */
  measurement: v.nullable(v.string()),
  release: v.nullable(v.string()),
});
type CurrentShown = v.InferOutput<typeof currentShown>;

/** Earlier builds kept the sentence itself, the digest of the weights as `measurement`, and the measurement as `machine`. */
const earlierShown = v.pipe(
  v.strictObject({
    kind: v.picklist(machineKinds),
    model: v.string(),
    measurement: v.nullable(v.string()),
    engine: v.string(),
    sentence: v.string(),
    level: v.exactOptional(protectionLevel),
    machine: v.exactOptional(v.nullable(v.string())),
    release: v.exactOptional(v.nullable(v.string())),
  }),
  v.transform(({ kind, model, engine, measurement, level, machine, release }): CurrentShown => ({
    kind,
    model,
    weightsDigest: measurement,
    engine,
    level: level ?? null,
    measurement: machine ?? null,
    release: release ?? null,
  })),
);
const shownEnclave = v.union([currentShown, earlierShown]);

const setMinimum = v.strictObject({ value: protectionLevel, setAtMs: timeMsField });

const failure = v.strictObject({
  code: v.pipe(v.string(), v.transform(currentFailureCode)),
  retryAfterMs: v.exactOptional(v.number()),
});

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
    /** Stopped before the relay had it: it is stored with an empty reply. */
    v.strictObject({ name: v.literal('stopped') }),
    /** Its conversation is gone: the words wait for a draft to take them. */
    v.strictObject({ name: v.literal('returned') }),
  ]),
};

export type TurnOperation = OperationOf<'turn', typeof turnFields>;
export type ShownEnclave = CurrentShown;

/** The words about the shield that are kept with a reply (SPEC.md §5.1). */
export function protectionOf(shown: ShownEnclave | null): string {
  if (shown === null || shown.level === null) return '';
  const { kind, level, release } = shown;
  return writeProtection({ kind, level, release });
}
