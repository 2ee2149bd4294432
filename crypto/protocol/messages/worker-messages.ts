import * as v from 'valibot';
import { enclaveStatus } from './enclave-messages.ts';
import { bytesField, countField, formatField, idField, modelField } from './fields.ts';
import { sealedRequestMessage } from './turn-messages.ts';

/*
 * The relay asks a worker this, and gets these answers: JSON over HTTP, each call with the worker's token.
 * Frames travel on GET /live (SPEC.md §10); errors are `errorAnswer` like everywhere.
 */

/** Turns that one `POST /watch` may name; a relay with more calls again. */
export const maximumWatchedTurns = 1000;

/** Frame number; a turn that reached the last one would have run for 13 years. */
const frameNumberField = countField(0xffff_ffff);

/** GET /status */
export const workerStatusAnswer = v.strictObject({
  format: formatField,
  status: enclaveStatus,
  /** Served now, the default first. */
  models: v.pipe(v.array(modelField), v.minLength(1), v.maxLength(64)),
});

/** POST /turns: the reply's frames go to the live response of this stream id, from number 0. */
export const workerTurnStart = v.strictObject({
  format: formatField,
  streamId: idField,
  request: sealedRequestMessage,
});
/** 202. The same request again gives the same transcript. */
export const workerTurnAccepted = v.strictObject({
  format: formatField,
  turnId: idField,
  /** First 16 bytes of the reply salt. */
  transcriptId: idField,
});

/** POST /watch: the held frames from a number on, then the live ones. Answered 202 with `workerDone`. */
export const workerWatch = v.strictObject({
  format: formatField,
  streamId: idField,
  turns: v.pipe(
    v.array(
      v.strictObject({
        turnId: idField,
        /** Null: every transcript of the turn that is held, from its header. */
        transcriptId: v.nullable(idField),
        from: frameNumberField,
      }),
    ),
    v.minLength(1),
    v.maxLength(maximumWatchedTurns),
  ),
});

/** POST /stop. Answered 202 with `workerDone` whether or not the token fits. */
export const workerStop = v.strictObject({ format: formatField, turnId: idField, stopToken: bytesField(32) });

export const workerDone = v.strictObject({ format: formatField });

export type WorkerStatusAnswer = v.InferOutput<typeof workerStatusAnswer>;
export type WorkerTurnStart = v.InferOutput<typeof workerTurnStart>;
export type WorkerTurnAccepted = v.InferOutput<typeof workerTurnAccepted>;
export type WorkerWatch = v.InferOutput<typeof workerWatch>;
export type WorkerStop = v.InferOutput<typeof workerStop>;
