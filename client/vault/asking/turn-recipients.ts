import type { KeyStanding } from '../exchange/reading/transcript-reader.ts';
import { parseVerificationDocument } from '../../../crypto/evidence/verification-document.ts';
import { type Bytes, fromBase64Url, toBase64Url } from '../../../crypto/protocol/bytes/bytes.ts';
import { CryptoError } from '../../../crypto/protocol/bytes/errors.ts';
import { keyIdOf } from '../../../crypto/primitives/key-id.ts';
import type { Outbox } from '../changes/outbox/outbox.ts';
import { verificationOperation } from '../enclave/later-verification.ts';
import type { VaultStore } from '../store/vault-store.ts';

type Keys = ReadonlySet<string>;

/** To which keys of enclaves the questions were sealed: by this tab, or by the verifications that they rest on (SPEC.md §8.1). */
export class TurnRecipients {
  readonly #store: Pick<VaultStore, 'contents' | 'open' | 'cache'>;
  readonly #outbox: Pick<Outbox, 'of'>;
  readonly #sealed = new Map<string, Set<string>>();
  /** The keys that each verification item names, or `reading` while it is being read. */
  readonly #keys = new Map<string, Keys | 'lost' | 'reading'>();
  /** Called when more is known. */
  onLearnt: () => void = () => undefined;

  constructor(store: Pick<VaultStore, 'contents' | 'open' | 'cache'>, outbox: Pick<Outbox, 'of'>) {
    this.#store = store;
    this.#outbox = outbox;
  }

  /** Before the request leaves: its reply may be here before its items are. */
  note(turnId: string, publicKeys: readonly Bytes[]): void {
    const keys = this.#sealed.get(turnId) ?? new Set();
    for (const publicKey of publicKeys) keys.add(toBase64Url(keyIdOf(publicKey)));
    this.#sealed.set(turnId, keys);
  }

  standing(turnId: string, keyId: Bytes): KeyStanding {
    const id = toBase64Url(keyId);
    if (this.#sealed.get(turnId)?.has(id) === true || this.#isWaiting(turnId, id)) return 'own';
    const { contents } = this.#store;
    const message = contents.messages.ofTurn(turnId)?.message;
    if (message === undefined) return 'unknown';
    // An earlier build kept no verification, so nothing says to whom it sealed this question.
    if (message.verificationItemId === undefined) return 'own';
    const known = contents.verificationsOf(turnId).map((itemId) => this.#keysOf(itemId));
    if (known.some((keys) => keys === 'lost' || (keys !== 'unknown' && holdsKey(keys, id)))) return 'own';
    return known.includes('unknown') ? 'unknown' : 'foreign';
  }

  /** Sealed anew in this browser, with a verification that the relay does not have yet. */
  #isWaiting(turnId: string, keyId: string): boolean {
    return this.#outbox
      .of(verificationOperation)
      .some(({ operation: { content } }) => content.turnId === turnId && holdsKey(readKeys(content.document), keyId));
  }

  /** `lost`: it will never be here, or is of a later build. */
  #keysOf(itemId: string): Keys | 'unknown' | 'lost' {
    const { contents } = this.#store;
    if (!contents.verifications.has(itemId)) return contents.rows.has(itemId) ? 'lost' : 'unknown';
    const known = this.#keys.get(itemId);
    if (known === undefined) void this.#read(itemId);
    return known === undefined || known === 'reading' ? 'unknown' : known;
  }

  async #read(itemId: string): Promise<void> {
    this.#keys.set(itemId, 'reading');
    const { cache, contents } = this.#store;
    try {
      const body = await cache.readBody(itemId);
      const row = contents.rows.get(itemId);
      const content = row === undefined ? null : this.#store.open({ ...row, body });
      if (content?.type !== 'verification') throw new CryptoError('malformed');
      this.#keys.set(itemId, readKeys(content.document));
      this.onLearnt();
    } catch {
      // It went in between, or the storage fails: whoever asks next reads it again.
      this.#keys.delete(itemId);
    }
  }
}

function holdsKey(keys: Keys | 'lost', id: string): boolean {
  return keys !== 'lost' && keys.has(id);
}

/** The keys of the enclaves that a verification accepted. One that is damaged names none; `lost`: of a later build. */
function readKeys(document: string): Keys | 'lost' {
  try {
    const accepted = parseVerificationDocument(document).enclaves.filter(({ result }) => !result.refused);
    return new Set(
      accepted.flatMap(({ answer }) => answer.publicKeys.map((key) => toBase64Url(keyIdOf(fromBase64Url(key))))),
    );
  } catch (error) {
    if (error instanceof CryptoError) return error.code === 'unsupported-version' ? 'lost' : new Set();
    throw error;
  }
}
