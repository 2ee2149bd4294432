import { type IncomingMessage, request as httpRequest } from 'node:http';
import { requestHashOf, transcriptHeaderOf } from '../../../../crypto/protocol/messages/transcript-header.ts';
import { verifyEnclave } from '../../../../crypto/evidence/verify-enclave.ts';
import type { EnclavePolicy } from '../../../../crypto/evidence/policy.ts';
import { type EnclaveEvidence } from '../../../../crypto/protocol/messages/enclave-messages.ts';
import type { CollateralItem } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import {
  decodeLiveRecord,
  type LiveRecord,
  LiveRecordSplitter,
} from '../../../../crypto/protocol/messages/live-record.ts';
import type { ReplyNote } from '../../../../crypto/protocol/contents/reply-note.ts';
import type { PlainContent, ReplyEnd, RequestContent } from '../../../../crypto/protocol/contents/request-content.ts';
import type { FrameClass } from '../../../../crypto/protocol/messages/request-header.ts';
import { aeadReady } from '../../../../crypto/primitives/aead.ts';
import type { Bytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { equalBytes, randomBytes, toBase64Url } from '../../../../crypto/protocol/bytes/bytes.ts';
import { ReplyOpener } from '../../../../crypto/turn/reply-opener.ts';
import { hashRequest, sealRequest, toMessage } from '../../../../crypto/turn/sealed-request.ts';
import { deriveStopToken, generateTurnKey, type TurnKey } from '../../../../crypto/turn/turn-key.ts';
import { developmentPolicy } from '../../evidence/development-policy.ts';

export type SealedTurn = {
  readonly turnId: Bytes;
  readonly turnKey: TurnKey;
  readonly requestHash: Bytes;
  readonly message: ReturnType<typeof toMessage>;
};

export type ReadReply = {
  readonly text: string;
  readonly reasoning: string;
  readonly end: ReplyEnd | null;
  readonly isFinal: boolean;
  readonly frames: number;
  /** Left out where there are none. */
  readonly notes?: readonly ReplyNote[];
};

/** What relay and browser are to a worker, in one: it calls, verifies, seals, reads the live response and opens it. */
export class WorkerClient {
  readonly url: string;
  readonly token: string;
  readonly #policy: EnclavePolicy;
  readonly #collateral: readonly CollateralItem[];

  /** @param collateral - What the vendors would give a relay for this worker's machine. */
  constructor(
    url: string,
    token: string,
    policy: EnclavePolicy = developmentPolicy,
    collateral: readonly CollateralItem[] = [],
  ) {
    this.url = url;
    this.token = token;
    this.#policy = policy;
    this.#collateral = collateral;
  }

  call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  }

  /** Asks for evidence over a nonce of its own and verifies it. */
  async verify(model = 'default', statement?: 2) {
    const nonce = randomBytes(32);
    const response = await this.call('POST', '/evidence', {
      format: 1,
      nonce: toBase64Url(nonce),
      model,
      ...(statement === undefined ? {} : { statement }),
    });
    if (response.status !== 200) throw new Error(`evidence: ${response.status}`);
    const { collateral = [], ...answer } = (await response.json()) as EnclaveEvidence;
    const verdict = await verifyEnclave({
      answer: { ...answer, collateral: [...collateral, ...this.#collateral] },
      nonce,
      model,
      minimum: 'any',
      policy: this.#policy,
      nowMs: Date.now(),
    });
    if (verdict.refused) throw new Error('The evidence was refused.');
    return verdict;
  }

  async seal(
    text: string,
    options: {
      readonly turnId?: Bytes;
      readonly turnKey?: TurnKey;
      readonly frameClass?: FrameClass;
      readonly model?: string;
      readonly expiresAtMs?: number;
      readonly parameters?: PlainContent['parameters'];
      /** In place of the text and parameters: what else a request holds. */
      readonly content?: (keys: Pick<RequestContent, 'turnKey' | 'evidenceDigest' | 'cacheSalt'>) => RequestContent;
    } = {},
  ): Promise<SealedTurn> {
    await aeadReady();
    const enclave = await this.verify();
    const turnId = options.turnId ?? randomBytes(16);
    const turnKey = options.turnKey ?? generateTurnKey();
    const keys = {
      turnKey: toBase64Url(turnKey.expose()),
      evidenceDigest: toBase64Url(enclave.evidenceDigest),
      cacheSalt: toBase64Url(randomBytes(32)),
    };
    const request = await sealRequest({
      header: {
        turnId,
        model: options.model ?? enclave.statement.model,
        frameClass: options.frameClass ?? 'chat',
        expiresAtMs: options.expiresAtMs ?? enclave.statement.issuedAtMs + 300_000,
      },
      content: options.content?.(keys) ?? {
        format: 1,
        ...keys,
        messages: [{ role: 'user', text }],
        parameters: options.parameters ?? {},
      },
      recipients: [enclave.publicKeys[0]!.publicKey],
    });
    return { turnId, turnKey, requestHash: hashRequest(request), message: toMessage(request) };
  }

  start(live: LiveReader, turn: SealedTurn): Promise<Response> {
    return this.call('POST', '/turns', { format: 1, streamId: live.streamId, request: turn.message });
  }

  stop(turn: SealedTurn, token: Bytes = deriveStopToken(turn)): Promise<Response> {
    return this.call('POST', '/stop', {
      format: 1,
      turnId: toBase64Url(turn.turnId),
      stopToken: toBase64Url(token),
    });
  }

  watch(live: LiveReader, turn: SealedTurn, from: number, transcriptId: string | null = null): Promise<Response> {
    return this.call('POST', '/watch', {
      format: 1,
      streamId: live.streamId,
      turns: [{ turnId: toBase64Url(turn.turnId), transcriptId, from }],
    });
  }

  async live(): Promise<LiveReader> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest(`${this.url}/live`, { headers: { authorization: `Bearer ${this.token}` } }, resolve);
      request.once('error', reject);
      request.end();
    });
    const reader = new LiveReader(response);
    await reader.until((records) => records.some(({ kind }) => kind === 'stream'));
    return reader;
  }
}

/** One live response, all records kept. */
export class LiveReader {
  readonly records: (LiveRecord & { readonly atMs: number })[] = [];
  readonly response: IncomingMessage;
  #wake: (() => void)[] = [];
  #hasEnded = false;

  constructor(response: IncomingMessage) {
    this.response = response;
    const splitter = new LiveRecordSplitter();
    response.on('data', (chunk: Buffer) => {
      for (const bytes of splitter.push(chunk)) {
        this.records.push({ ...decodeLiveRecord(bytes), atMs: performance.now() });
      }
      this.#wakeAll();
    });
    response.on('close', () => {
      this.#hasEnded = true;
      this.#wakeAll();
    });
    response.on('error', () => {});
  }

  get streamId(): string {
    return toBase64Url(this.records.find(({ kind }) => kind === 'stream')!.body);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  of(turn: SealedTurn): LiveRecord[] {
    return this.records.filter(({ turnId }) => equalBytes(turnId, turn.turnId));
  }

  async until(isDone: (records: readonly LiveRecord[]) => boolean): Promise<void> {
    while (!isDone(this.records)) {
      if (this.#hasEnded) throw new Error('The live response ended.');
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Waits until nothing more comes of a turn. */
  untilClosed(turn: SealedTurn): Promise<void> {
    return this.until(() => this.of(turn).some(({ kind }) => kind === 'closed'));
  }

  close(): void {
    this.response.destroy();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** Opens what came of a turn, as a device does. */
export function readReply(turn: SealedTurn, records: readonly LiveRecord[]): ReadReply {
  const header = records.find(({ kind }) => kind === 'header');
  if (header === undefined) throw new Error('No header record.');
  if (!equalBytes(requestHashOf(header.body), turn.requestHash)) throw new Error('Another request hash.');
  const { turnKey, turnId, requestHash } = turn;
  const opener = new ReplyOpener({ turnKey, turnId, requestHash, header: transcriptHeaderOf(header.body) });
  const texts = { text: '', reasoning: '', title: '' };
  const notes: ReplyNote[] = [];
  for (const { kind, number, body } of records) {
    if (kind !== 'frame') continue;
    for (const piece of opener.open(number, body).pieces) {
      if (piece.kind === 'note') notes.push(piece.note);
      else if (piece.kind !== 'end' && piece.kind !== 'summary') texts[piece.kind] += piece.text;
    }
  }
  const { text, reasoning } = texts;
  const noted = notes.length === 0 ? {} : { notes };
  return { text, reasoning, end: opener.end, isFinal: opener.isFinal, frames: opener.nextNumber, ...noted };
}
