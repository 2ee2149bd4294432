import type { PossessionPurpose } from '../../crypto/evidence/modal/possession.ts';
import type { ErrorCode } from '../../crypto/protocol/messages/error-codes.ts';
import type { AcceptName, EngineKind } from '../../crypto/protocol/messages/enclave-messages.ts';
import type { FrameClass } from '../../crypto/protocol/messages/request-header.ts';
import type { RequestContent } from '../../crypto/protocol/contents/request-content.ts';
import type { Bytes } from '../../crypto/protocol/bytes/bytes.ts';

/* Messages between the thread that keeps the ticks and the thread that keeps the keys. */

export type OpenOrder = {
  readonly type: 'open';
  readonly id: number;
  /** The body of POST /turns as it came: even parsing 16 MiB would make frames late. */
  readonly body: Bytes;
  /** Models that can be asked now. */
  readonly models: readonly string[];
};
/** A statement of format 2 says this beyond format 1 (SPEC.md §9.2). */
export type Abilities = { readonly accepts: readonly AcceptName[]; readonly contextTokens: number | null };
export type StatementOrder = {
  readonly type: 'statement';
  readonly id: number;
  readonly nonce: string;
  readonly model: string;
  readonly weightsDigest: string | null;
  readonly engine: EngineKind;
  /** For a statement of format 2; null where the client reads format 1 alone. */
  readonly abilities: Abilities | null;
};
/** A registrar wants to see that the identity key is held (SPEC.md §9.6). */
export type PossessionOrder = {
  readonly type: 'possession';
  readonly id: number;
  readonly challenge: Bytes;
  readonly purpose: PossessionPurpose;
};
export type KeyOrder = OpenOrder | StatementOrder | PossessionOrder;

/** A request that was opened; the turn key is in its content. */
export type OpenedTurn = {
  readonly type: 'opened';
  readonly streamId: string;
  readonly turnId: Bytes;
  readonly model: string;
  readonly frameClass: FrameClass;
  readonly keyId: Bytes;
  readonly requestHash: Bytes;
  readonly content: RequestContent;
};
/** The same request came before. */
export type KnownTurn = {
  readonly type: 'known';
  readonly streamId: string;
  readonly turnId: Bytes;
  readonly requestHash: Bytes;
};
export type RefusedTurn = { readonly type: 'refused'; readonly code: ErrorCode };
export type SignedStatement = {
  readonly type: 'signed';
  readonly statement: Bytes;
  readonly signature: Bytes;
  readonly publicKeys: readonly Bytes[];
  readonly identityPublicKey: Bytes;
};

export type SignedPossession = { readonly type: 'possession'; readonly signature: Bytes };
/** The thread's first word. */
export type KeysReady = { readonly type: 'ready'; readonly identityPublicKey: Bytes };

export type OpenAnswer = OpenedTurn | KnownTurn | RefusedTurn;
export type KeyAnswer = { readonly id: number; readonly answer: OpenAnswer | SignedStatement | SignedPossession };
