import { createHash } from 'node:crypto';
import { parseCertificate } from '../../../../crypto/evidence/x509/certificate.ts';
import { readKeyBits } from '../../../../crypto/evidence/x509/revocation-answer.ts';
import type { NvidiaGpuEvidence } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { fromBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import {
  algorithmIdentifier,
  type CertificateRequest,
  extension,
  type KeyPair,
  leafExtensions,
  makeCertificate,
  makeKeys,
  signDer,
  testNowMs,
  yearMs,
} from './certificate-maker.ts';
import { bitString, context, der, enumerated, integer, octetString, oid, sequence } from './der-writer.ts';
import type { NvidiaMachine } from '../nvidia/nvidia-machine.ts';

/** Answers about revoked certificates (OCSP) as NVIDIA's responder writes them, with any fault one asks for. */
type Der = Uint8Array<ArrayBuffer>;
type Dependencies = (parts: readonly Der[]) => readonly Uint8Array[];
export type Issued = { readonly certificate: Der; readonly issuer: Der; readonly issuerKeys: KeyPair };
/** The certificates of one GPU about which NVIDIA answers: its chip's, its provisioner's, its architecture's. */
export function issuedOf(machine: NvidiaMachine, evidence: NvidiaGpuEvidence, device = 0): Issued[] {
  const chain = (evidence.devices[device]?.certificates ?? []).map((each) => fromBase64Url(each));
  return machine.issuerKeys.map((issuerKeys, index) => ({
    certificate: chain[index + 1]!,
    issuer: chain[index + 2]!,
    issuerKeys,
  }));
}

export type AnswerRequest = {
  readonly hash?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  /** Revoked where a reason or none is given. */
  readonly status?: 'good' | 'unknown' | { readonly reason: number | null };
  readonly serialNumber?: Uint8Array;
  readonly thisUpdate?: number;
  readonly nextUpdate?: number | null;
  readonly by?: 'name' | 'key';
  /** Null: the issuer signs by itself. */
  readonly delegate?: Partial<CertificateRequest> | null;
  readonly signer?: KeyPair;
  /** Beside the answer's own, or in place of it. */
  readonly certificates?: (own: readonly Der[]) => readonly Uint8Array[];
  readonly extensions?: readonly Der[];
  readonly fault?: {
    readonly outcome?: number;
    readonly type?: string;
    readonly algorithm?: Der;
    readonly hashIdentifier?: Der;
    /** Hash algorithm, name's hash, key's hash, serial number. */
    readonly id?: Dependencies;
    /** Certificate, status, thisUpdate, nextUpdate. */
    readonly status?: Dependencies;
    /** Signer, time, statuses, extensions where there are any. */
    readonly content?: Dependencies;
    /** Content, algorithm, signature, certificates where there are any. */
    readonly basic?: Dependencies;
    readonly signature?: (signature: Der) => Uint8Array;
    readonly whole?: (answer: Der) => Uint8Array;
  };
};

export const nonceExtension = (critical = false) =>
  extension('1.3.6.1.5.5.7.48.1.2', critical, octetString(Buffer.alloc(16, 7)));
/** Purpose "OCSP signing", and "its own revocation need not be looked at". */
export const responderExtensions = (purpose = '1.3.6.1.5.5.7.3.9') => [
  ...leafExtensions(),
  extension('2.5.29.37', true, sequence(oid(purpose))),
  extension('1.3.6.1.5.5.7.48.1.5', false, Uint8Array.of(5, 0)),
];
const delegateKeys = makeKeys('p384');
const hashOids = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

/** GeneralizedTime, whatever the year. */
export function generalizedTime(timeMs: number): Der {
  return der(0x18, Buffer.from(`${new Date(timeMs).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`));
}

/** @returns an answer in DER: of today, good for a day, of a responder that the issuer named, unless told. */
export function makeRevocationAnswer(issued: Issued, request: AnswerRequest = {}): Der {
  const { hash = 'sha384', status = 'good', by = 'key', extensions = [], fault = {} } = request;
  const { thisUpdate = testNowMs - 3_600_000, delegate = {} } = request;
  const nextUpdate = request.nextUpdate === undefined ? thisUpdate + 24 * 3_600_000 : request.nextUpdate;
  const issuer = parseCertificate(issued.issuer);
  const digest = (bytes: Uint8Array) => octetString(createHash(hash).update(bytes).digest());
  const idParts = [
    fault.hashIdentifier ?? sequence(oid(hashOids[hash]), Uint8Array.of(5, 0)),
    digest(issuer.subject),
    digest(readKeyBits(issuer)),
    integer(request.serialNumber ?? parseCertificate(issued.certificate).serialNumber),
  ];
  const statusParts = [
    sequence(...(fault.id?.(idParts) ?? idParts)),
    writeStatus(status),
    generalizedTime(thisUpdate),
    ...(nextUpdate === null ? [] : [context(0, generalizedTime(nextUpdate))]),
  ];
  const responder =
    delegate === null
      ? null
      : makeCertificate({
          subject: 'TEST OCSP Responder',
          issuer: issuer.subject,
          keys: delegateKeys,
          signer: issued.issuerKeys,
          serialNumber: 4711,
          extensions: responderExtensions(),
          notBefore: testNowMs - yearMs,
          ...delegate,
        });
  const signerCertificate = parseCertificate(responder ?? issued.issuer);
  const keys = request.signer ?? (delegate === null ? issued.issuerKeys : (delegate.keys ?? delegateKeys));
  const contentParts = [
    by === 'name'
      ? context(1, signerCertificate.subject)
      : context(2, octetString(createHash('sha1').update(readKeyBits(signerCertificate)).digest())),
    generalizedTime(thisUpdate),
    sequence(sequence(...(fault.status?.(statusParts) ?? statusParts))),
    ...(extensions.length > 0 ? [context(1, sequence(...extensions))] : []),
  ];
  const content = sequence(...(fault.content?.(contentParts) ?? contentParts));
  const signature = signDer(keys, content);
  const own = responder === null ? [] : [responder];
  const certificates = request.certificates?.(own) ?? own;
  const basicParts = [
    content,
    fault.algorithm ?? algorithmIdentifier(keys.kind),
    bitString(fault.signature?.(signature) ?? signature),
    ...(certificates.length > 0 ? [context(0, sequence(...certificates))] : []),
  ];
  const basic = sequence(...(fault.basic?.(basicParts) ?? basicParts));
  const bytes = context(0, sequence(oid(fault.type ?? '1.3.6.1.5.5.7.48.1.1'), octetString(basic)));
  const answer = sequence(enumerated(fault.outcome ?? 0), bytes);
  return Uint8Array.from(fault.whole?.(answer) ?? answer);
}

function writeStatus(status: NonNullable<AnswerRequest['status']>): Der {
  if (status === 'good') return Uint8Array.of(0x80, 0);
  if (status === 'unknown') return Uint8Array.of(0x82, 0);
  const reason = status.reason === null ? [] : [context(0, enumerated(status.reason))];
  return context(1, generalizedTime(testNowMs - yearMs), ...reason);
}
