import type { Keyring } from '../../../crypto/account/keyring.ts';
import { maximumMessageLength } from '../../../crypto/protocol/contents/item-contents.ts';
import { openUnsentText, sealUnsentText } from '../../../crypto/vault/unsent-text.ts';
import type { CiphertextCache } from '../store/ciphertext-cache.ts';
import type { Outbox } from '../changes/outbox/outbox.ts';
import { feature, type FeatureVault } from './feature.ts';
import { VaultError } from '../failures/vault-error.ts';

/** Unsent text, sealed in this browser: it survives a reload and a lock, and nobody else's sign-in reads it. */
export class Drafts {
  readonly #cache: CiphertextCache;
  readonly #keyring: Keyring;
  readonly #outbox: Outbox;
  /** Turns whose words this tab put into a draft: it may go on naming them. */
  readonly #taken = new Set<string>();

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
      return openUnsentText({ keyring: this.#keyring, placeId: id, body });
    } catch {
      // Another account's draft, or a damaged one: treat it as empty.
      return '';
    }
  }

  /**
   * @param returned - Turns that were given back, whose words the text holds: they leave the outbox in one transaction.
   * @returns those whose words a draft of another tab took. If there are any, nothing is written: that draft would go.
   */
  async write(conversationId: string | null, text: string, returned: readonly string[] = []): Promise<string[]> {
    // Twice a message, so that an overlong paste is kept while it is being cut.
    if (text.length > 2 * maximumMessageLength) throw new VaultError('message-too-long');
    const id = draftId(conversationId);
    const body = text === '' ? null : sealUnsentText({ keyring: this.#keyring, placeId: id, text });
    for (;;) {
      if (returned.some((turnId) => !this.#taken.has(turnId))) await this.#outbox.load();
      const named = returned.filter((turnId) => !this.#taken.has(turnId));
      const taken = this.#outbox.returned.filter(({ operation }) => named.includes(operation.turnId));
      const gone = named.filter((turnId) => !taken.some(({ operation }) => operation.turnId === turnId));
      if (gone.length > 0) return gone;
      if (!(await this.#cache.writeDraft(id, body, taken))) continue;
      for (const turnId of named) this.#taken.add(turnId);
      if (taken.length > 0) await this.#outbox.reload();
      return [];
    }
  }
}

function draftId(conversationId: string | null): string {
  return conversationId ?? 'new';
}

/** The text in the box of each conversation. `conversationId` null: the new chat. */
export const drafts = feature({
  commands: ({ cache, store, outbox }: FeatureVault) => {
    const kept = new Drafts(cache, store.keyring, outbox);
    return {
      readDraft: ({ conversationId }: { readonly conversationId: string | null }): Promise<string> =>
        kept.read(conversationId),
      /** Writes a draft, and takes out of the outbox the returned words that it holds now. */
      writeDraft: (input: {
        readonly conversationId: string | null;
        readonly text: string;
        readonly returned?: readonly string[] | undefined;
      }): Promise<readonly string[]> => kept.write(input.conversationId, input.text, input.returned),
    };
  },
});
