import * as v from 'valibot';
import { collateralList, collateralNeeds, evidenceList } from './evidence-messages.ts';
import { bytesField, countField, formatField, hashField, modelField, timeMsField } from './fields.ts';

export const engineKinds = ['openai', 'gguf', 'rehearsal'] as const;
/** Why the worker answers with the engine that it has now. */
export const engineReasons = [
  'chosen-by-setting',
  'server-given',
  'model-file-here',
  'model-downloading',
  'model-loading',
  'download-failed',
  'model-failed',
  'server-unreachable',
  'evidence-pending',
] as const;

/** A request may use these of an enclave whose statement names them (SPEC.md §9.2): beyond text in and text out. */
export const acceptNames = ['continue', 'embed', 'fast', 'images', 'summary', 'title'] as const;
export type AcceptName = (typeof acceptNames)[number];

const statementEntries = {
  nonce: hashField,
  issuedAtMs: timeMsField,
  keys: v.pipe(v.array(v.strictObject({ keyId: hashField, notAfterMs: timeMsField })), v.minLength(1), v.maxLength(4)),
  model: modelField,
  weightsDigest: v.nullable(hashField),
  engine: v.picklist(engineKinds),
};
/** A list that grows: a reader passes over a name that it does not know. */
const acceptList = v.pipe(
  v.array(v.pipe(v.string(), v.maxLength(32), v.regex(/^[a-z][a-z0-9-]*$/))),
  v.maxLength(32),
  v.check((names) => names.every((name, place) => place === 0 || (names[place - 1] ?? '') < name)),
);

/** The identity key signs this, as canonical JSON (SPEC.md §9.2). */
export const keyStatement = v.variant('format', [
  v.strictObject({ format: formatField, ...statementEntries }),
  /** Sent to clients that ask for it: older ones refuse its members. */
  v.strictObject({
    format: v.literal(2),
    ...statementEntries,
    accepts: acceptList,
    /** How much the model reads, question and reply together; null where the engine does not know. */
    contextTokens: v.nullable(v.pipe(countField(1_000_000_000), v.minValue(1))),
  }),
]);

/** In clear and unsigned: progress for people, never a ground for trust. */
export const enclaveStatus = v.strictObject({
  state: v.picklist(['ready', 'loading', 'draining']),
  reason: v.picklist(engineReasons),
  /** The model that will take over, while it is fetched or loaded. */
  next: v.nullable(
    v.strictObject({ model: modelField, receivedBytes: countField(), totalBytes: v.nullable(countField()) }),
  ),
});

/** The newest format of the key statement that the client reads; left out, it reads format 1 alone (SPEC.md §9.2). */
export const statementWish = v.exactOptional(v.literal(2));

/** Asked by the client, and by the relay of the worker: evidence that covers this nonce. */
export const enclaveRequest = v.strictObject({
  format: formatField,
  nonce: hashField,
  /** `default` leaves the choice to the enclave; the statement says which it is. */
  model: modelField,
  /** Asks for hardware evidence made for this nonce, not for the enclave's own. */
  freshEvidence: v.exactOptional(v.literal(true)),
  statement: statementWish,
});

const attestationEntries = {
  format: formatField,
  evidence: evidenceList,
  /** Certificates and the like, from the enclave's host or from the relay: believed for their signatures alone. */
  collateral: v.exactOptional(collateralList),
  /** Canonical JSON of `keyStatement`. */
  statement: bytesField(1, 4096),
  signature: bytesField(64),
  /** X-Wing public keys, the one to use first. */
  publicKeys: v.pipe(v.array(bytesField(1216)), v.minLength(1), v.maxLength(4)),
  status: enclaveStatus,
};
/** The worker's own answer; what it needs is fetched by the relay and goes no further. */
export const attestation = v.strictObject({
  ...attestationEntries,
  collateralNeeds: v.exactOptional(collateralNeeds),
});
/** The relay adds the name under which its pool finds this enclave again. */
export const pooledAttestation = v.strictObject({
  ...attestationEntries,
  enclaveId: v.pipe(v.string(), v.minLength(1), v.maxLength(64), v.regex(/^[A-Za-z0-9_-]+$/)),
});
/** The enclave to seal to, and a second one where the pool has it: a request sealed to both survives the loss of one. */
export const enclaveChoice = v.strictObject({
  ...pooledAttestation.entries,
  alternate: v.exactOptional(pooledAttestation),
});

/** A request to all of these enclaves may use these names. A name of a later version is none of this one's. */
export function acceptedByAll(statements: readonly KeyStatement[]): ReadonlySet<AcceptName> {
  const lists = statements.map((statement) => (statement.format === 1 ? [] : statement.accepts));
  return new Set(acceptNames.filter((name) => lists.length > 0 && lists.every((list) => list.includes(name))));
}

export type EngineKind = (typeof engineKinds)[number];
export type EngineReason = (typeof engineReasons)[number];
export type KeyStatement = v.InferOutput<typeof keyStatement>;
export type PlainStatement = Extract<KeyStatement, { format: 1 }>;
export type EnclaveStatus = v.InferOutput<typeof enclaveStatus>;
export type EnclaveRequest = v.InferOutput<typeof enclaveRequest>;
export type Attestation = v.InferOutput<typeof attestation>;
export type PooledAttestation = v.InferOutput<typeof pooledAttestation>;
export type EnclaveChoice = v.InferOutput<typeof enclaveChoice>;
