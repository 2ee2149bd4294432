import * as v from 'valibot';
import { attestation } from '../protocol/messages/enclave-messages.ts';
import { machineKinds } from '../protocol/messages/evidence-messages.ts';
import { hashField, modelField, timeMsField } from '../protocol/messages/fields.ts';
import { protectionLevel } from '../protocol/protection-level.ts';
import { refusalCodes, stepResults } from './policy/evidence-step.ts';
import { documentedPolicy } from './policy/policy.ts';
import { type DetailCode, detailValues, maximumValueLength } from './policy/step-details.ts';

const text = v.pipe(v.string(), v.maxLength(1024));
const stepResult = v.picklist(stepResults);

/** A word of a list that grows: a reader keeps those that it does not know. */
const word = v.pipe(v.string(), v.maxLength(64), v.regex(/^[a-z][a-z0-9-]*$/));
const valueName = v.pipe(v.string(), v.maxLength(32), v.regex(/^[a-z][A-Za-z0-9]*$/));
const valueText = v.pipe(v.string(), v.maxLength(maximumValueLength));
const stepValue = v.union([
  valueText,
  v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER)),
  v.null(),
  v.pipe(v.array(valueText), v.maxLength(16), v.readonly()),
]);
/** A step of format 2: codes, and the values that a page makes words of. */
const codedStep = v.pipe(
  v.strictObject({
    check: word,
    result: stepResult,
    detail: word,
    values: v.pipe(v.record(valueName, stepValue), v.maxEntries(8)),
  }),
  v.check(({ detail, values }) => !isDetail(detail) || v.is(detailValues[detail], values)),
);
/** A step of format 1: the English words that its writer showed. */
const wordedStep = v.strictObject({ name: text, result: stepResult, detail: text });

function isDetail(code: string): code is DetailCode {
  return Object.hasOwn(detailValues, code);
}

function resultOf<Step extends v.GenericSchema, Extra extends v.ObjectEntries>(step: Step, extra: Extra) {
  const steps = v.pipe(v.array(step), v.maxLength(256));
  return v.variant('refused', [
    v.strictObject({ refused: v.literal(true), code: v.picklist(refusalCodes), ...extra, steps }),
    v.strictObject({
      refused: v.literal(false),
      kind: v.picklist(machineKinds),
      level: protectionLevel,
      measurement: v.nullable(text),
      release: v.nullable(text),
      model: modelField,
      ...extra,
      steps,
    }),
  ]);
}

const { format, evidence, collateral, statement, signature, publicKeys } = attestation.entries;
/** The answer as it came, without what nobody believes: progress and the pool's own name for it. */
const documentAnswer = v.strictObject({ format, evidence, collateral, statement, signature, publicKeys });

function enclavesOf<Result extends v.GenericSchema>(result: Result) {
  return v.pipe(v.array(v.strictObject({ answer: documentAnswer, result })), v.minLength(1), v.maxLength(2));
}

const entries = {
  /** The client's clock; every step of the result was taken at this time. */
  verifiedAtMs: timeMsField,
  nonce: hashField,
  /** The model that was asked for, or `default`. */
  model: modelField,
  /** The person's own for the conversation. */
  minimum: protectionLevel,
  policy: documentedPolicy,
  /** The sealed requests carry this digest; null where an enclave was refused, and nothing sealed. */
  evidenceDigest: v.nullable(hashField),
  /** SHA-256 over the other members: tells damage, proves nothing else. */
  digest: hashField,
};

/** All that one verification was made of and came to (SPEC.md §9.10). `format` names what this file is wherever it lies. */
const codedDocument = v.strictObject({
  ...entries,
  format: v.literal('sotto-verification-2'),
  /** One, or the two that one request was sealed to, in the order of its recipients. */
  enclaves: enclavesOf(resultOf(codedStep, {})),
});
/** Earlier builds wrote this form, with the sentence and the words that they showed. */
const wordedDocument = v.strictObject({
  ...entries,
  format: v.literal('sotto-verification-1'),
  enclaves: enclavesOf(resultOf(wordedStep, { sentence: text })),
});
export const verificationDocument = v.variant('format', [codedDocument, wordedDocument]);

/** A document of a format that a later build may write: neither of the two above. */
export const laterDocument = v.looseObject({
  format: v.pipe(v.string(), v.regex(/^sotto-verification-(?![12]$)[1-9]\d{0,5}$/)),
});

export type CodedDocument = v.InferOutput<typeof codedDocument>;
export type WordedDocument = v.InferOutput<typeof wordedDocument>;
export type VerificationDocument = CodedDocument | WordedDocument;
export type CodedResult = CodedDocument['enclaves'][number]['result'];
export type WordedResult = WordedDocument['enclaves'][number]['result'];
/** A step in the words of an earlier build. */
export type WordedStep = v.InferOutput<typeof wordedStep>;
/** Like `VerificationStep`, but a later build's may hold codes that this one has no words for. */
export type CodedStep = v.InferOutput<typeof codedStep>;
