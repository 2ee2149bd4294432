import * as v from 'valibot';
import { bytesField, countField, formatField, hashField, idField, opaqueField, timeMsField } from './fields.ts';
import { sealedHeadMessage } from './item-messages.ts';

/** All kinds that the format knows; a relay may hold kinds that this client cannot open yet. */
export const keyslotKinds = ['password', 'recovery', 'passkey', 'device'] as const;
/** Compiled-in stretching profiles, weakest first; registration always takes the last (SPEC.md §3). */
export const stretchingProfiles = ['argon2id-64mib-3'] as const;

/** A wrapped account key (SPEC.md §4). */
export const keyslotMessage = v.strictObject({
  slotId: idField,
  kind: v.picklist(keyslotKinds),
  generation: v.pipe(countField(0xffff_ffff), v.minValue(1)),
  body: bytesField(1, 1024),
});

/** The list of keyslots under the account's MAC (SPEC.md §4). */
export const keyslotListMessage = v.strictObject({ body: bytesField(1, 8192) });

const stretchingField = v.picklist(stretchingProfiles);
const registrationRequestField = opaqueField(64);
const registrationRecordField = opaqueField(512);

export const signUpStart = v.strictObject({
  format: formatField,
  nameTag: hashField,
  registrationRequest: registrationRequestField,
});
export const signUpStartAnswer = v.strictObject({
  format: formatField,
  /** Signed by the relay, good for half an hour and for this name only. */
  signUpToken: v.pipe(v.string(), v.maxLength(2048)),
  registrationResponse: opaqueField(256),
});
export const signUpFinish = v.strictObject({
  format: formatField,
  signUpToken: v.pipe(v.string(), v.maxLength(2048)),
  registrationRecord: registrationRecordField,
  stretching: stretchingField,
  keyslots: v.pipe(v.array(keyslotMessage), v.minLength(2), v.maxLength(8)),
  keyslotList: keyslotListMessage,
  /** Ed25519; its signature releases the recovery keyslot. */
  recoveryPublicKey: bytesField(32),
  head: sealedHeadMessage,
});

/** A session: a short token for calls here, the refresh token in an HttpOnly cookie. */
export const sessionAnswer = v.strictObject({
  format: formatField,
  sessionId: idField,
  accessToken: v.pipe(v.string(), v.maxLength(2048)),
  /** How long the token is good from now on; the client counts on its own monotonic clock. */
  lifetimeMs: countField(3_600_000),
});

export const signInStart = v.strictObject({
  format: formatField,
  nameTag: hashField,
  loginRequest: opaqueField(256),
});
/** The same for the account of a session that is locked: no name is needed. */
export const unlockStart = v.strictObject({ format: formatField, loginRequest: opaqueField(256) });
export const signInStartAnswer = v.strictObject({
  format: formatField,
  loginId: idField,
  loginResponse: opaqueField(1024),
  stretching: stretchingField,
});
export const signInFinish = v.strictObject({
  format: formatField,
  loginId: idField,
  loginFinish: opaqueField(256),
});

/** A device needs this to open the vault; it is released after proof of a factor. */
export const keyMaterial = v.strictObject({
  keyslot: keyslotMessage,
  keyslotList: keyslotListMessage,
  /** Earlier account keys sealed under the newest; absent in epoch 1. */
  keyring: v.nullable(bytesField(1, 8192)),
  head: sealedHeadMessage,
});
/** The same without keyslot and head, for a device that is unlocked. */
export const keysAnswer = v.strictObject({
  format: formatField,
  keyslotList: keyslotListMessage,
  keyring: v.nullable(bytesField(1, 8192)),
});
/** A call or an answer that says no more than that it is one: refresh, sign-out, end of a session. */
export const emptyMessage = v.strictObject({ format: formatField });
export const signInAnswer = v.strictObject({ format: formatField, session: sessionAnswer, keys: keyMaterial });

export const recoveryStart = v.strictObject({ format: formatField, nameTag: hashField });
export const recoveryStartAnswer = v.strictObject({
  format: formatField,
  challengeId: idField,
  challenge: hashField,
  issuedAtMs: timeMsField,
});
export const recoveryFinish = v.strictObject({
  format: formatField,
  challengeId: idField,
  signature: bytesField(64),
});

export const passwordStart = v.strictObject({ format: formatField, registrationRequest: registrationRequestField });
export const passwordStartAnswer = v.strictObject({
  format: formatField,
  passwordToken: v.pipe(v.string(), v.maxLength(2048)),
  registrationResponse: opaqueField(256),
});

/** Acts that change the ways into an account: each needs a fresh proof of one (SPEC.md §3.5). */
export const stepUpActs = ['change-password'] as const;
const stepUpFields = {
  format: formatField,
  act: v.picklist(stepUpActs),
  /** SHA-256 over the act's own message without its `proof`, as canonical JSON. */
  bodyDigest: hashField,
};
export const stepUpStart = v.variant('factor', [
  v.strictObject({ ...stepUpFields, factor: v.literal('password'), loginRequest: opaqueField(256) }),
  v.strictObject({ ...stepUpFields, factor: v.literal('recovery') }),
]);
export const stepUpStartAnswer = v.variant('factor', [
  v.strictObject({
    format: formatField,
    factor: v.literal('password'),
    stepUpId: idField,
    loginResponse: opaqueField(1024),
    stretching: stretchingField,
  }),
  v.strictObject({ format: formatField, factor: v.literal('recovery'), stepUpId: idField, nonce: hashField }),
]);
/** Goes along with the act that it was asked for, once. */
const stepUpProof = v.variant('factor', [
  v.strictObject({ factor: v.literal('password'), stepUpId: idField, loginFinish: opaqueField(256) }),
  v.strictObject({ factor: v.literal('recovery'), stepUpId: idField, signature: bytesField(64) }),
]);

/** OPAQUE record, keyslot, keyslot list and head change together, under compare-and-swap on the head. */
export const passwordFinish = v.strictObject({
  format: formatField,
  passwordToken: v.pipe(v.string(), v.maxLength(2048)),
  registrationRecord: registrationRecordField,
  stretching: stretchingField,
  keyslot: keyslotMessage,
  keyslotList: keyslotListMessage,
  expectedHead: hashField,
  head: sealedHeadMessage,
  proof: stepUpProof,
});

/** Everything that the relay holds on the account itself, for "What the relay sees". */
export const accountAnswer = v.strictObject({
  format: formatField,
  accountNumber: v.pipe(v.string(), v.maxLength(64)),
  /** The keyed hash under which the user name is stored. */
  nameHash: hashField,
  createdAtMs: timeMsField,
  usedBytes: countField(),
  quotaBytes: countField(),
  keyslots: v.pipe(
    v.array(v.strictObject({ slotId: idField, kind: v.picklist(keyslotKinds), length: countField(1024) })),
    v.maxLength(16),
  ),
});
export const sessionsAnswer = v.strictObject({
  format: formatField,
  sessions: v.pipe(
    v.array(
      v.strictObject({
        sessionId: idField,
        createdAtMs: timeMsField,
        refreshedAtMs: timeMsField,
        current: v.boolean(),
      }),
    ),
    v.maxLength(100),
  ),
});

export type KeyslotMessage = v.InferOutput<typeof keyslotMessage>;
export type KeyslotKind = (typeof keyslotKinds)[number];
export type StretchingProfile = (typeof stretchingProfiles)[number];
export type SignUpStart = v.InferOutput<typeof signUpStart>;
export type SignUpStartAnswer = v.InferOutput<typeof signUpStartAnswer>;
export type SignUpFinish = v.InferOutput<typeof signUpFinish>;
export type SessionAnswer = v.InferOutput<typeof sessionAnswer>;
export type SignInStart = v.InferOutput<typeof signInStart>;
export type SignInStartAnswer = v.InferOutput<typeof signInStartAnswer>;
export type SignInFinish = v.InferOutput<typeof signInFinish>;
export type SignInAnswer = v.InferOutput<typeof signInAnswer>;
export type KeyMaterial = v.InferOutput<typeof keyMaterial>;
export type RecoveryStartAnswer = v.InferOutput<typeof recoveryStartAnswer>;
export type StepUpAct = (typeof stepUpActs)[number];
export type StepUpStart = v.InferOutput<typeof stepUpStart>;
export type StepUpStartAnswer = v.InferOutput<typeof stepUpStartAnswer>;
export type StepUpProof = v.InferOutput<typeof stepUpProof>;
export type PasswordFinish = v.InferOutput<typeof passwordFinish>;
export type AccountAnswer = v.InferOutput<typeof accountAnswer>;
export type KeysAnswer = v.InferOutput<typeof keysAnswer>;
export type SessionsAnswer = v.InferOutput<typeof sessionsAnswer>;
export type RecoveryStart = v.InferOutput<typeof recoveryStart>;
export type RecoveryFinish = v.InferOutput<typeof recoveryFinish>;
export type PasswordStartAnswer = v.InferOutput<typeof passwordStartAnswer>;
