import * as v from 'valibot';
import { enclaveChoice, pooledAttestation, statementWish } from './enclave-messages.ts';
import { bytesField, countField, formatField, hashField, idField, timeMsField } from './fields.ts';
import { itemBatch } from './item-messages.ts';

/** Longest sealed request body in bytes. */
export const maximumRequestBodyLength = 16 * 1024 * 1024 + 1024;

/** A request that only its recipients can open (SPEC.md §7). */
export const sealedRequestMessage = v.strictObject({
  header: bytesField(1, 512),
  body: bytesField(1, maximumRequestBodyLength),
  recipients: v.pipe(
    v.array(v.strictObject({ keyId: hashField, encapsulation: bytesField(1120), wrappedKey: bytesField(48) })),
    v.minLength(1),
    v.maxLength(4),
  ),
});

const enclaveIdField = pooledAttestation.entries.enclaveId;

export const turnAttempt = v.strictObject({
  format: formatField,
  enclaveId: enclaveIdField,
  /** Where the request goes when the first enclave is lost before it took it; it is sealed to both. */
  alternateEnclaveId: v.exactOptional(enclaveIdField),
  /** Covered by the key statement when the answer is `enclave-changed`. */
  nonce: hashField,
  /** The format of that statement; named only to a relay that gave one of format 2 before. */
  statement: statementWish,
  request: sealedRequestMessage,
});

/** A turn: its items and head first, then the request. A temporary chat has no batch. */
export const turnStart = v.strictObject({
  ...turnAttempt.entries,
  turnId: idField,
  batch: v.nullable(itemBatch),
});

export const turnStates = ['running', 'ended', 'lost'] as const;
export const turnAccepted = v.strictObject({ format: formatField, turnId: idField, state: v.picklist(turnStates) });

/** 409 `enclave-changed`: the items are stored; the request is to be sealed again to this enclave. */
export const enclaveChangedAnswer = v.strictObject({
  error: v.literal('enclave-changed'),
  enclave: enclaveChoice,
});

export const turnStop = v.strictObject({ format: formatField, stopToken: bytesField(32) });

/** All that the relay holds of one turn, besides the frames. */
export const turnRecord = v.strictObject({
  turnId: idField,
  state: v.picklist(turnStates),
  startedAtMs: timeMsField,
  endedAtMs: v.nullable(timeMsField),
  attempts: countField(1000),
  requestLength: countField(),
  stops: countField(1000),
  transcripts: v.pipe(
    v.array(v.strictObject({ header: bytesField(131), frames: countField(0xffff_ffff) })),
    v.maxLength(16),
  ),
});
export const turnsQuery = v.strictObject({
  afterMs: countField(),
  afterId: v.optional(idField),
  limit: v.pipe(countField(500), v.minValue(1)),
});
export const turnsAnswer = v.strictObject({
  format: formatField,
  turns: v.pipe(v.array(turnRecord), v.maxLength(500)),
  more: v.boolean(),
});

export type SealedRequestMessage = v.InferOutput<typeof sealedRequestMessage>;
export type TurnStart = v.InferOutput<typeof turnStart>;
export type TurnAttempt = v.InferOutput<typeof turnAttempt>;
export type TurnStop = v.InferOutput<typeof turnStop>;
export type TurnState = (typeof turnStates)[number];
export type TurnRecord = v.InferOutput<typeof turnRecord>;
export type EnclaveChangedAnswer = v.InferOutput<typeof enclaveChangedAnswer>;
