import { sign } from 'node:crypto';
import * as v from 'valibot';
import { generateIdentityKeyPair, type IdentityKeyPair } from '../../../../crypto/evidence/key-statement.ts';
import { type EnclavePolicy, enclavePolicy, type ModalPolicy } from '../../../../crypto/evidence/policy/policy.ts';
import type { Attestation, PlainStatement } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import type { ModalEvidence, RegistrarStatement } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { aeadReady } from '../../../../crypto/primitives/aead.ts';
import { toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { encodeCanonicalJson } from '../../../../crypto/protocol/json/canonical-json.ts';
import { labelled } from '../../../../crypto/protocol/bytes/hash.ts';
import { testNowMs } from '../vendors/certificate-maker.ts';
import { modalIds } from './modal-identity.ts';
import { auditPath, checkpointText, leafHash, makePaperKey, type PaperKey, signNote, treeHash } from './paper-log.ts';
import { makeStatementPart } from '../statement-part.ts';

/** Faults of one piece of evidence; each alone leaves the rest as it should be. */
export type ModalFaults = {
  /** Members of the statement, before it is signed. */
  readonly statement?: Partial<Record<keyof RegistrarStatement | 'extra', unknown>>;
  /** The statement's text, before it is signed. */
  readonly statementText?: (text: string) => string;
  readonly statementSigner?: PaperKey;
  readonly statementLabel?: `sotto/v1/${string}`;
  /** The log holds this in place of `signature || statement`. */
  readonly entry?: (statement: Buffer, signature: Buffer) => Uint8Array;
  /** How many entries there are, and the statement's place among them. */
  readonly logSize?: number;
  readonly place?: number;
  readonly origin?: string;
  readonly logSigner?: PaperKey;
  /** The three lines, before they are signed. */
  readonly checkpointText?: (text: string) => string;
  /** Changes the finished piece. */
  readonly afterwards?: (evidence: ModalEvidence) => Partial<Record<keyof ModalEvidence | 'extra', unknown>>;
};

export type ModalAttestation = Omit<Attestation, 'status'>;

/** A registrar on paper: its keys, its log, and any statement one asks for. The real one is a process (test-registrar.ts). */
export class ModalMachine {
  readonly statementKey = makePaperKey();
  readonly logKey = makePaperKey();
  readonly logOrigin = 'registrar.example/log-1';

  get policy(): ModalPolicy {
    return {
      registrarPublicKey: toBase64Url(this.statementKey.publicKey),
      logOrigin: this.logOrigin,
      logPublicKey: toBase64Url(this.logKey.publicKey),
      ...modalIds,
    };
  }

  makeEvidence({
    identityPublicKey,
    ...faults
  }: ModalFaults & { readonly identityPublicKey: Uint8Array }): ModalEvidence {
    const { statement, signature } = this.#sign(identityPublicKey, faults);
    const { logSize = 12, place = 6, origin = this.logOrigin } = faults;
    const entry = (faults.entry ?? ((text, signed) => Buffer.concat([signed, text])))(statement, signature);
    const leaves = Array.from({ length: logSize }, (_, index) => leafHash(Buffer.from(`entry ${index}`)));
    leaves[place] = leafHash(entry);
    const text = checkpointText(origin, logSize, treeHash(leaves));
    const evidence: ModalEvidence = {
      kind: 'modal',
      identityPublicKey: toBase64Url(identityPublicKey),
      statement: toBase64Url(statement),
      signature: toBase64Url(signature),
      checkpoint: signNote((faults.checkpointText ?? String)(text), origin, faults.logSigner ?? this.logKey),
      leafIndex: place,
      inclusionProof: auditPath(place, leaves).map((sibling) => toBase64Url(sibling)),
    };
    return { ...evidence, ...faults.afterwards?.(evidence) } as ModalEvidence;
  }

  #sign(identityPublicKey: Uint8Array, faults: ModalFaults) {
    const { statementLabel = 'sotto/v1/registrar-statement', statementSigner = this.statementKey } = faults;
    const value = {
      format: 1,
      platform: 'modal',
      identityPublicKey: toBase64Url(identityPublicKey),
      ...modalIds,
      containerId: 'ta-12345abcd',
      issuedAtMs: testNowMs - 600_000,
      notAfterMs: testNowMs + 3_000_000,
      ...faults.statement,
    };
    const present = Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
    const text = Buffer.from(encodeCanonicalJson(present)).toString('utf8');
    const statement = Buffer.from((faults.statementText ?? String)(text));
    return { statement, signature: sign(null, labelled(statementLabel, statement), statementSigner.privateKey) };
  }
}

/** A whole answer of an enclave, with the evidence that is made for its identity. */
export async function makeModalAttestation(input: {
  readonly nonce: Uint8Array;
  readonly evidence: (identityPublicKey: Uint8Array) => readonly Attestation['evidence'][number][];
  readonly identity?: IdentityKeyPair;
  readonly statement?: Partial<PlainStatement>;
}): Promise<ModalAttestation> {
  await aeadReady();
  const { nonce, identity = generateIdentityKeyPair() } = input;
  return {
    format: 1,
    evidence: [...input.evidence(identity.publicKey)],
    ...makeStatementPart({ nonce, identity, changes: input.statement }),
  };
}

/** Accepts `modal` alone. */
export function modalPolicy(section: ModalPolicy | null, changes: Partial<EnclavePolicy> = {}): EnclavePolicy {
  return v.parse(enclavePolicy, {
    format: 3,
    allowedKinds: ['modal'],
    models: null,
    minimum: 'stated',
    maximumEvidenceAgeMs: 3_600_000,
    maximumClockDifferenceMs: 86_400_000,
    requireNonceInReport: false,
    releases: [],
    modal: section,
    sevSnp: null,
    tdx: null,
    nvidiaGpu: null,
    ...changes,
  });
}
