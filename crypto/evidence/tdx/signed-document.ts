import * as v from 'valibot';
import { encodeUtf8, fromBase64Url } from '../../protocol/bytes/bytes.ts';
import { CryptoError } from '../../protocol/bytes/errors.ts';
import { type CheckCode, refuse } from '../policy/evidence-step.ts';
import { calendarTimeMs } from '../x509/calendar-time.ts';
import type { Certificate } from '../x509/certificate.ts';
import { verifySignature } from '../x509/signature.ts';

/** Bytes in hex as Intel writes them, in either case. @returns in lower case. */
export function hexField(byteLength: number) {
  const digits = v.pipe(v.string(), v.length(2 * byteLength), v.regex(/^[0-9A-Fa-f]+$/));
  return v.pipe(
    digits,
    v.transform((text) => text.toLowerCase()),
  );
}

/** All of Intel's signed documents begin with these. */
export const documentEntries = {
  issueDate: v.pipe(v.string(), v.maxLength(20)),
  nextUpdate: v.pipe(v.string(), v.maxLength(20)),
  tcbEvaluationDataNumber: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100_000)),
};
type DocumentSchema = v.GenericSchema<unknown, v.InferOutput<v.ObjectSchema<typeof documentEntries, undefined>>>;

/**
 * Believes a JSON document for its signature over the very text, then for its dates.
 *
 * The text must be what a JSON writer makes of its value: so no member stands there twice, and no two readers differ. Members
 * that the schema does not name are left out: Intel adds some within a version.
 *
 * @param input.signer - Already verified itself.
 * @throws {EvidenceRefused} `signature`, `malformed`, `not-yet-valid`, `outdated-collateral`.
 */
export async function openSignedDocument<Schema extends DocumentSchema>(input: {
  readonly check: CheckCode;
  readonly text: string;
  readonly signature: string;
  readonly signer: Certificate;
  readonly schema: Schema;
  readonly minimumTcbEvaluationDataNumber: number;
  readonly nowMs: number;
}): Promise<v.InferOutput<Schema>> {
  const { check, text, nowMs } = input;
  if (!/^[ -~]+$/.test(text)) throw new CryptoError('malformed');
  const isSigned = await verifySignature({
    subjectPublicKeyInfo: input.signer.subjectPublicKeyInfo,
    algorithm: 'ecdsa-p256-sha256',
    signature: fromBase64Url(input.signature),
    message: encodeUtf8(text),
  });
  if (!isSigned) refuse('signature', check, 'document-not-signed');
  const document = parseExactJson(text, input.schema);
  if (nowMs < readDate(document.issueDate)) refuse('not-yet-valid', check, 'document-of-future');
  if (nowMs > readDate(document.nextUpdate)) {
    refuse('outdated-collateral', check, 'document-outdated', { nextUpdate: document.nextUpdate });
  }
  if (document.tcbEvaluationDataNumber < input.minimumTcbEvaluationDataNumber) {
    refuse('outdated-collateral', check, 'document-too-early');
  }
  return document;
}

function parseExactJson<Schema extends v.GenericSchema>(text: string, schema: Schema): v.InferOutput<Schema> {
  let value: unknown;
  let written: string;
  try {
    value = JSON.parse(text);
    written = JSON.stringify(value);
  } catch {
    throw new CryptoError('malformed');
  }
  const parsed = v.safeParse(schema, value);
  if (written !== text || !parsed.success) throw new CryptoError('malformed');
  return parsed.output;
}

/** Reads a date like `2025-06-19T10:16:03Z`. */
function readDate(text: string): number {
  const fields = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/.exec(text);
  if (fields === null) throw new CryptoError('malformed');
  return calendarTimeMs(fields.slice(1).map(Number));
}
