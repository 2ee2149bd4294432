import type { Keyring } from '../../crypto/account/keyring.ts';
import { maximumMessageLength } from '../../crypto/messages/item-contents.ts';
import { openDraft, sealDraft } from '../../crypto/vault/draft.ts';
import type { CiphertextCache } from './ciphertext-cache.ts';
import type { Outbox } from './outbox.ts';
import { VaultError } from './vault-error.ts';

/** Unsent text, sealed in this browser: it survives a reload and a lock, and nobody else's sign-in reads it. */
export class Drafts {
  readonly #cache: CiphertextCache;
  readonly #keyring: Keyring;
  readonly #outbox: Outbox;

  constructor(cache: CiphertextCache, keyring: Keyring, outbox: Outbox) {
    this.#cache = cache;
    this.#keyring = keyring;
    this.#outbox = outbox;
  }

  async read(conversationId: string | null): Promise<string> {
    const id = draftId(conversationId);
    const body = await this.#cache.readDraft(id);
    if (body === null) return '';
    try {
      return openDraft({ keyring: this.#keyring, draftId: id, body });
    } catch {
      // Not this account's, or spoilt: as good as none.
      return '';
    }
  }

  /** @param returned - Turns that were given back, whose words the text holds: they leave the outbox in one transaction. */
  async write(conversationId: string | null, text: string, returned: readonly string[] = []): Promise<void> {
    // Twice a message, so that an overlong paste is kept while it is being cut.
    if (text.length > 2 * maximumMessageLength) throw new VaultError('message-too-long');
    const id = draftId(conversationId);
    const body = text === '' ? null : sealDraft({ keyring: this.#keyring, draftId: id, text });
    const taken = this.#outbox.returned.filter(({ operation }) => returned.includes(operation.turnId));
    await this.#cache.writeDraft(id, body, taken);
    if (taken.length > 0) await this.#outbox.reload();
  }
}

function draftId(conversationId: string | null): string {
  return conversationId ?? 'new';
}
