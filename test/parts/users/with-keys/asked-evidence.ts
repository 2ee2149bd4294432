import { type EnclaveVerdict, verifyEnclave } from '../../../../crypto/evidence/verify-enclave.ts';
import { attestation, type Attestation } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import type { CollateralItem } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { type Bytes, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import * as v from 'valibot';

type Reachable = { readonly url: string; readonly token: string };
/** A version of the key statement is asked for only where a test names it. */
type AskOptions = { readonly fresh?: boolean; readonly model?: string; readonly statement?: 2 };
export type EvidenceReply = {
  readonly status: number;
  readonly error: string | null;
  readonly answer: Attestation;
};

/** Asks as the relay does, and parses the answer by its schema. */
export async function askEvidence(
  { url, token }: Reachable,
  nonce: Bytes,
  options: AskOptions = {},
): Promise<EvidenceReply> {
  const response = await fetch(`${url}/evidence`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      format: 1,
      nonce: toBase64Url(nonce),
      model: options.model ?? 'default',
      ...(options.fresh === true ? { freshEvidence: true } : {}),
      ...(options.statement === undefined ? {} : { statement: options.statement }),
    }),
  });
  const body: unknown = await response.json();
  if (response.status !== 200) {
    return { status: response.status, error: (body as { error: string }).error, answer: {} as Attestation };
  }
  return { status: 200, error: null, answer: v.parse(attestation, body) };
}

/** Adds what a relay fetches from the vendors, and takes away what it was asked for. */
export function withCollateral(answer: Attestation, collateral: readonly CollateralItem[]): Attestation {
  const { collateralNeeds: needs = [], ...rest } = answer;
  const fetched = collateral.filter(({ kind }) => needs.some((need) => need.kind === kind));
  return { ...rest, collateral: [...(answer.collateral ?? []), ...fetched] };
}

/** Judges an answer as a client does. */
export function judge(
  answer: Attestation,
  nonce: Bytes,
  policy: unknown,
  nowMs: number = Date.now(),
  model = 'default',
): Promise<EnclaveVerdict> {
  const { status: _status, ...rest } = answer;
  return verifyEnclave({ attestation: rest, nonce, model, minimum: 'any', policy, nowMs });
}

export async function askAndJudge(
  worker: Reachable,
  policy: unknown,
  collateral: readonly CollateralItem[],
  options: AskOptions = {},
): Promise<EnclaveVerdict & { readonly answer: Attestation }> {
  const nonce = randomBytes(32);
  const reply = await askEvidence(worker, nonce, options);
  if (reply.error !== null) throw new Error(`${reply.status} ${reply.error}`);
  const answer = withCollateral(reply.answer, collateral);
  return { ...(await judge(answer, nonce, policy, Date.now(), options.model)), answer };
}
