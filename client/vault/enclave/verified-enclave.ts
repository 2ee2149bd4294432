import {
  type AcceptName,
  acceptedByAll,
  type KeyStatement,
} from '../../../crypto/protocol/messages/enclave-messages.ts';
import { joinEvidenceDigests } from '../../../crypto/evidence/evidence-digest.ts';
import { encodeVerificationDocument } from '../../../crypto/evidence/verification-document.ts';
import type { ProtectionLevel } from '../../../crypto/protocol/protection-level.ts';
import { type Bytes, randomBytes, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import type { Clock } from '../surroundings/clock.ts';
import type { Judgement, ReceivedChoice } from './received-choice.ts';
import type { ShownEnclave } from '../changes/operations/turn-operation.ts';
import type { KeptVerification } from '../changes/operations/plan-turn.ts';

/** A statement older than this is asked for anew before anything is sealed on its ground. */
const freshForMs = 10 * 60_000;
/** A request expires this long after it was sealed: five minutes after issue, plus the time since. */
const requestLifetimeMs = 5 * 60_000;

/** An enclave that passed every check, and what is needed to seal to it. */
export type VerifiedEnclave = {
  readonly enclaveId: string;
  readonly alternateEnclaveId: string | null;
  /** One, or two where the pool has a second enclave that proves the same. */
  readonly publicKeys: readonly Bytes[];
  /**
   * The accepted names that all their statements share; null where one has no statement of format 2 and reads format 1 alone.
   */
  readonly accepts: ReadonlySet<AcceptName> | null;
  /** The digest of one enclave's evidence, or of both, joined. */
  readonly evidenceDigest: Bytes;
  readonly model: string;
  readonly level: ProtectionLevel;
  readonly shown: ShownEnclave;
  /** null where no policy was whole. */
  readonly verification: KeptVerification | null;
  /**
   * When a request that is sealed now stops being good, on the enclave's clock. Its clock is the time in its statement plus the
   * time passed here since, by a clock that nobody sets (M44).
   */
  readonly expiresAtMs: () => number;
  readonly isFresh: () => boolean;
};

/** The enclave that an accepted judgement allows; null for a refused one. */
export function readVerified(received: ReceivedChoice, judgement: Judgement, clock: Clock): VerifiedEnclave | null {
  const { verdict, alternate } = judgement;
  if (verdict.refused) return null;
  const accepted = alternate === null ? [verdict] : [verdict, alternate.verdict];
  const keys = accepted.flatMap(({ publicKeys }) => publicKeys.slice(0, 1));
  if (keys.length !== accepted.length) return null;
  const { statement, kind, level, measurement, release } = verdict;
  const elapsedMs = () => clock.monotonicMs() - received.receivedAtMs;
  // Both have to take it: the clock that runs first decides.
  const issuedAtMs = Math.min(...accepted.map((each) => each.statement.issuedAtMs));
  const notAfterMs = Math.min(...keys.map((key) => key.notAfterMs));
  const expiresAtMs = () => issuedAtMs + Math.floor(elapsedMs()) + requestLifetimeMs;
  return {
    enclaveId: received.choice.enclaveId,
    alternateEnclaveId: alternate?.enclaveId ?? null,
    publicKeys: keys.map(({ publicKey }) => publicKey),
    accepts: acceptsOf(accepted.map((each) => each.statement)),
    evidenceDigest:
      alternate === null
        ? verdict.evidenceDigest
        : joinEvidenceDigests(verdict.evidenceDigest, alternate.verdict.evidenceDigest),
    model: statement.model,
    level,
    shown: {
      kind,
      model: statement.model,
      weightsDigest: statement.weightsDigest,
      engine: statement.engine,
      level,
      measurement,
      release: release?.version ?? null,
    },
    verification: verificationOf(judgement),
    expiresAtMs,
    isFresh: () => elapsedMs() < freshForMs && expiresAtMs() < notAfterMs,
  };
}

function acceptsOf(statements: readonly KeyStatement[]): VerifiedEnclave['accepts'] {
  return statements.some(({ format }) => format === 1) ? null : acceptedByAll(statements);
}

function verificationOf({ verdict, document, itemId, laterItemId }: Judgement): KeptVerification | null {
  if (verdict.refused || document === null) return null;
  const { kind, level, statement, measurement, release } = verdict;
  return {
    itemId,
    laterItemId,
    content: {
      type: 'verification',
      format: 2,
      verifiedAtMs: document.verifiedAtMs,
      kind,
      level,
      model: statement.model,
      measurement,
      release: release?.version ?? null,
      document: encodeVerificationDocument(document),
    },
  };
}

/** True where an automatic retry may go there: what the shield said at Send still holds. */
export function isSameAsShown(enclave: VerifiedEnclave, shown: ShownEnclave): boolean {
  const { kind, model, engine, weightsDigest, level, measurement, release } = enclave.shown;
  return (
    kind === shown.kind &&
    model === shown.model &&
    engine === shown.engine &&
    weightsDigest === shown.weightsDigest &&
    level === shown.level &&
    measurement === shown.measurement &&
    release === shown.release
  );
}

/** The nonce that a call carries, and that an answer to it has to cover. */
export function drawNonce(): { readonly bytes: Bytes; readonly text: string } {
  const bytes = randomBytes(32);
  return { bytes, text: toBase64Url(bytes) };
}
