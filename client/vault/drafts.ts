import type { Keyring } from '../../crypto/account/keyring.ts';
import { maximumMessageLength } from '../../crypto/messages/item-contents.ts';
import { openDraft, sealDraft } from '../../crypto/vault/draft.ts';
import type { CiphertextCache } from './ciphertext-cache.ts';
import { VaultError } from './vault-error.ts';

/** Unsent text, sealed in this browser: it survives a reload and a lock, and nobody else's sign-in reads it. */
export class Drafts {
  readonly #cache: CiphertextCache;
  readonly #keyring: Keyring;

  constructor(cache: CiphertextCache, keyring: Keyring) {
    this.#cache = cache;
    this.#keyring = keyring;
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

  async write(conversationId: string | null, text: string): Promise<void> {
    // Twice a message, so that an overlong paste is kept while it is being cut.
    if (text.length > 2 * maximumMessageLength) throw new VaultError('message-too-long');
    const id = draftId(conversationId);
    await this.#cache.writeDraft(id, text === '' ? null : sealDraft({ keyring: this.#keyring, draftId: id, text }));
  }

  /** Gives words back that can no longer go where they were meant to. */
  async giveBack(text: string): Promise<void> {
    const draft = await this.read(null);
    await this.write(null, draft === '' ? text : `${draft}\n\n${text}`);
  }
}

function draftId(conversationId: string | null): string {
  return conversationId ?? 'new';
}
