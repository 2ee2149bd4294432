import * as v from 'valibot';
import {
  generateIdentityKeyPair,
  type IdentityKeyPair,
  signKeyStatement,
} from '../../crypto/evidence/key-statement.ts';
import { signPossession } from '../../crypto/evidence/modal/possession.ts';
import type { ErrorCode } from '../../crypto/protocol/messages/error-codes.ts';
import { decodeRequestHeader } from '../../crypto/protocol/messages/request-header.ts';
import { workerTurnStart } from '../../crypto/protocol/messages/worker-messages.ts';
import { type Bytes, fromBase64Url, toBase64Url, toHex } from '../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../crypto/protocol/bytes/errors.ts';
import { jsonBudgetOf } from '../../crypto/protocol/json/json-budget.ts';
import { parseStrictJson } from '../../crypto/protocol/json/strict-json.ts';
import { fromMessage, hashRequest, openRequest } from '../../crypto/turn/sealed-request.ts';
import type {
  OpenAnswer,
  OpenOrder,
  PossessionOrder,
  SignedPossession,
  SignedStatement,
  StatementOrder,
} from './key-messages.ts';
import { KeyRotation } from './key-rotation.ts';
import { ReplayGuard } from './replay-guard.ts';

/** All that the enclave's secret keys do: sign statements and open requests, each request once. */
export class KeyHolder {
  readonly #identity: IdentityKeyPair = generateIdentityKeyPair();
  readonly #guard: ReplayGuard;
  readonly #rotation: KeyRotation;
  readonly #nowMs: () => number;

  /** @param input.nowMs - Wall time in whole milliseconds that never goes back. */
  constructor(input: { readonly nowMs: () => number; readonly guard?: ReplayGuard }) {
    this.#nowMs = input.nowMs;
    const guard = input.guard ?? new ReplayGuard();
    this.#guard = guard;
    this.#rotation = new KeyRotation((keyId) => guard.forgetKey(keyId));
  }

  /** Makes and wipes keys when their time has come. Every call does; this is for hours in which none comes. */
  rotate(): void {
    this.#rotation.keysAt(this.#nowMs());
  }

  /** Signs which keys and which model this enclave answers with (SPEC.md §9.2). */
  sign(order: Omit<StatementOrder, 'type' | 'id'>): SignedStatement {
    const issuedAtMs = this.#nowMs();
    const keys = this.#rotation.keysAt(issuedAtMs);
    const { nonce, model, weightsDigest, engine, abilities } = order;
    const listed = keys.map(({ keyId, notAfterMs }) => ({ keyId: toBase64Url(keyId), notAfterMs }));
    const shared = { nonce, issuedAtMs, keys: listed, model, weightsDigest, engine };
    const { statement, signature } = signKeyStatement({
      identitySecretKey: this.#identity.secretKey,
      statement:
        abilities === null
          ? { format: 1, ...shared }
          : { format: 2, ...shared, ...abilities, accepts: abilities.accepts.toSorted() },
    });
    return {
      type: 'signed',
      statement,
      signature,
      publicKeys: keys.map(({ publicKey }) => publicKey),
      identityPublicKey: this.#identity.publicKey,
    };
  }

  get identityPublicKey(): Bytes {
    return this.#identity.publicKey;
  }

  /** Shows a registrar that the identity key is here (SPEC.md §9.6). */
  signPossession({ challenge, purpose }: Pick<PossessionOrder, 'challenge' | 'purpose'>): SignedPossession {
    const signature = signPossession({ identitySecretKey: this.#identity.secretKey, challenge, purpose });
    return { type: 'possession', signature };
  }

  /** Opens one request; whatever is wrong with its bytes gives one and the same code (SPEC.md §7.4). */
  async open(order: Pick<OpenOrder, 'body' | 'models'>): Promise<OpenAnswer> {
    const parsed = v.safeParse(workerTurnStart, parseJson(order.body));
    if (!parsed.success) return refused('bad-request');
    const { streamId, request: message } = parsed.output;
    try {
      const request = fromMessage(message);
      const { turnId, model, expiresAtMs, frameClass } = decodeRequestHeader(request.header);
      const requestHash = hashRequest(request);
      const ids = [toHex(turnId), toHex(requestHash)] as const;
      const before = this.#verdict(ids);
      if (before === 'same') return { type: 'known', streamId, turnId, requestHash };
      if (before === 'other') return refused('request-replayed');
      // No engine here answers unpaced.
      if (frameClass === 'bulk') return refused('request-refused');
      if (!order.models.includes(model)) return refused('unknown-key');
      if (expiresAtMs <= this.#nowMs()) return refused('request-expired');
      const { content, keyId } = await openRequest({ request, secretKeys: this.#rotation.secretKeysAt(this.#nowMs()) });
      // The schema knows the alphabet only; a second spelling of a key is refused here.
      fromBase64Url(content.turnKey);
      // Opening is awaited: the same request may have come through meanwhile.
      const after = this.#verdict(ids);
      if (after === 'same') return { type: 'known', streamId, turnId, requestHash };
      if (after === 'other') return refused('request-replayed');
      if (!this.#guard.remember(toHex(keyId), ...ids)) return refused('enclave-busy');
      return { type: 'opened', streamId, turnId, model, frameClass, keyId, requestHash, content };
    } catch (error) {
      return refused(error instanceof CryptoError && error.code === 'unknown-key' ? 'unknown-key' : 'request-refused');
    }
  }

  #verdict([turnId, requestHash]: readonly [string, string]) {
    return this.#guard.check(turnId, requestHash);
  }
}

function refused(code: ErrorCode): OpenAnswer {
  return { type: 'refused', code };
}

function parseJson(body: OpenOrder['body']): unknown {
  try {
    return parseStrictJson(body, jsonBudgetOf(workerTurnStart));
  } catch {
    return undefined;
  }
}
