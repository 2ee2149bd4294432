import type { ReplyOutcome } from '../../../../crypto/protocol/contents/item-contents.ts';
import type { ReplyCause } from '../../../../crypto/protocol/contents/reply-note.ts';
import type { VaultFailure } from '../../failures/failure-codes.ts';

/** How far a reply is. `missing`: the relay has neither a reply item nor a transcript. */
export type ReplyState =
  | { readonly kind: 'sealing' }
  | { readonly kind: 'connecting' }
  /** `cause`: why nothing comes yet, in the enclave's word. */
  | { readonly kind: 'waiting'; readonly cause?: ReplyCause }
  | { readonly kind: 'streaming' }
  | {
      readonly kind: 'ended';
      readonly outcome: ReplyOutcome;
      readonly code: string | null;
      readonly endedEarly: boolean;
    }
  | { readonly kind: 'unsent'; readonly failure: VaultFailure }
  | { readonly kind: 'missing' };
