import type { Attestation, EnclaveRequest, EnclaveStatus } from '../../crypto/protocol/messages/enclave-messages.ts';
import { fromBase64Url, toBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import type { Engine } from '../engines/engine/engine.ts';
import type { KeyKeeper } from '../keys/key-keeper.ts';
import type { EvidenceSource } from './source/evidence-source.ts';

/**
 * Evidence and key statement over the client's nonce (SPEC.md §9).
 *
 * @throws {NoEvidence}
 */
export async function attest(input: {
  readonly request: EnclaveRequest;
  readonly engine: Engine;
  readonly isFast: boolean;
  readonly status: EnclaveStatus;
  readonly keys: Pick<KeyKeeper, 'sign'>;
  readonly source: EvidenceSource;
}): Promise<Attestation> {
  const { request, engine, isFast, status, keys, source } = input;
  // Before the statement: its time is what a client counts the evidence's age by.
  const { evidence, collateral, collateralNeeds } = await source.current(
    request.freshEvidence === true ? fromBase64Url(request.nonce) : null,
  );
  const signed = await keys.sign({
    nonce: request.nonce,
    model: engine.model,
    weightsDigest: engine.weightsDigest,
    engine: engine.kind,
    // Frames leave at either pace; a client asks for the larger ones only where the model needs them.
    abilities:
      request.statement === undefined
        ? null
        : { accepts: [...(isFast ? (['fast'] as const) : []), ...engine.accepts], contextTokens: engine.contextTokens },
  });
  return {
    format: 1,
    evidence: [...evidence],
    ...(collateral.length === 0 ? {} : { collateral: [...collateral] }),
    ...(collateralNeeds.length === 0 ? {} : { collateralNeeds: [...collateralNeeds] }),
    statement: toBase64Url(signed.statement),
    signature: toBase64Url(signed.signature),
    publicKeys: signed.publicKeys.map((publicKey) => toBase64Url(publicKey)),
    status,
  };
}
