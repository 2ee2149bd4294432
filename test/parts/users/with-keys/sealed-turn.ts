import { joinEvidenceDigests } from '../../../../crypto/evidence/evidence-digest.ts';
import type { EnclaveVerdict } from '../../../../crypto/evidence/verify-enclave.ts';
import { type Bytes, equalBytes, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import type { ReplyNote } from '../../../../crypto/protocol/contents/reply-note.ts';
import type { PlainContent, ReplyEnd, RequestContent } from '../../../../crypto/protocol/contents/request-content.ts';
import type { LiveRecord } from '../../../../crypto/protocol/messages/live-record.ts';
import { requestHashOf, transcriptHeaderOf } from '../../../../crypto/protocol/messages/transcript-header.ts';
import type { FrameClass } from '../../../../crypto/protocol/messages/request-header.ts';
import { ReplyOpener } from '../../../../crypto/turn/reply-opener.ts';
import { hashRequest, sealRequest, toMessage } from '../../../../crypto/turn/sealed-request.ts';
import { generateTurnKey, type TurnKey } from '../../../../crypto/turn/turn-key.ts';

export type AcceptedEnclave = Extract<EnclaveVerdict, { refused: false }>;

/** A device keeps this of a turn to read its reply. */
export type TurnSecrets = { readonly turnId: Bytes; readonly turnKey: TurnKey; readonly requestHash: Bytes };
export type SealedTurn = TurnSecrets & { readonly message: ReturnType<typeof toMessage> };

/** Everything that a test may want otherwise. */
export type SealOptions = {
  readonly turnId?: Bytes;
  readonly turnKey?: TurnKey;
  readonly frameClass?: FrameClass;
  readonly model?: string;
  readonly expiresAtMs?: number;
  readonly parameters?: PlainContent['parameters'];
  /** In place of the text and parameters: what else a request holds. */
  readonly content?: (keys: Pick<RequestContent, 'turnKey' | 'evidenceDigest' | 'cacheSalt'>) => RequestContent;
};

/**
 * Seals a question to an enclave, and to the one beside it where there is one (SPEC.md §9.4).
 *
 * @param enclaves - One or two, as they were verified.
 */
export async function sealTurn(
  enclaves: readonly [AcceptedEnclave, ...AcceptedEnclave[]],
  text: string,
  options: SealOptions = {},
): Promise<SealedTurn> {
  const [first, second] = enclaves;
  const { turnId = randomBytes(16), turnKey = generateTurnKey(), parameters = {} } = options;
  const digest =
    second === undefined ? first.evidenceDigest : joinEvidenceDigests(first.evidenceDigest, second.evidenceDigest);
  const keys = {
    turnKey: toBase64Url(turnKey.expose()),
    evidenceDigest: toBase64Url(digest),
    cacheSalt: toBase64Url(randomBytes(32)),
  };
  const issuedAtMs = Math.min(...enclaves.map(({ statement }) => statement.issuedAtMs));
  const request = await sealRequest({
    header: {
      turnId,
      model: options.model ?? first.statement.model,
      frameClass: options.frameClass ?? 'chat',
      expiresAtMs: options.expiresAtMs ?? issuedAtMs + 300_000,
    },
    content: options.content?.(keys) ?? { format: 1, ...keys, messages: [{ role: 'user', text }], parameters },
    recipients: enclaves.flatMap(({ publicKeys }) => publicKeys.slice(0, 1).map(({ publicKey }) => publicKey)),
  });
  return { turnId, turnKey, requestHash: hashRequest(request), message: toMessage(request) };
}

/** Opens a turn's records as a device does: header first, then frames in order. Records of other turns are passed over. */
export class ReplyReader {
  readonly #turn: TurnSecrets;
  readonly notes: ReplyNote[] = [];
  #opener: ReplyOpener | null = null;
  text = '';
  reasoning = '';
  closed = false;

  constructor(turn: TurnSecrets) {
    this.#turn = turn;
  }

  get isFinal(): boolean {
    return this.#opener?.isFinal === true;
  }

  get end(): ReplyEnd | null {
    return this.#opener?.end ?? null;
  }

  get frames(): number {
    return this.#opener?.nextNumber ?? 0;
  }

  /** @throws {Error} when a header answers another request. */
  take({ kind, turnId, number, body }: LiveRecord): void {
    const { turnKey, requestHash } = this.#turn;
    if (!equalBytes(turnId, this.#turn.turnId)) return;
    if (kind === 'header') {
      if (!equalBytes(requestHashOf(body), requestHash)) throw new Error('Another request hash.');
      this.#opener ??= new ReplyOpener({ turnKey, turnId, requestHash, header: transcriptHeaderOf(body) });
    } else if (kind === 'frame') {
      for (const piece of this.#opener?.open(number, body).pieces ?? []) {
        if (piece.kind === 'note') this.notes.push(piece.note);
        else if (piece.kind === 'text') this.text += piece.text;
        else if (piece.kind === 'reasoning') this.reasoning += piece.text;
      }
    } else if (kind === 'closed') {
      this.closed = true;
    }
  }
}

export type ReadReply = {
  readonly text: string;
  readonly reasoning: string;
  readonly end: ReplyEnd | null;
  readonly isFinal: boolean;
  readonly frames: number;
  /** Left out where there are none. */
  readonly notes?: readonly ReplyNote[];
};

/** Opens what came of a turn. @throws {Error} where no header came. */
export function readReply(turn: TurnSecrets, records: readonly LiveRecord[]): ReadReply {
  if (!records.some(({ kind }) => kind === 'header')) throw new Error('No header record.');
  const reader = new ReplyReader(turn);
  for (const record of records) reader.take(record);
  const { text, reasoning, end, isFinal, frames, notes } = reader;
  return { text, reasoning, end, isFinal, frames, ...(notes.length === 0 ? {} : { notes }) };
}
