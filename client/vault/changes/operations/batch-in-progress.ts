import type {
  ConversationContent,
  ItemContent,
  SettingsContent,
} from '../../../../crypto/protocol/contents/item-contents.ts';
import { maximumBatchLength, maximumBatchTextLength } from '../../../../crypto/protocol/messages/item-messages.ts';
import { CryptoError } from '../../../../crypto/protocol/bytes/errors.ts';
import { sealedContentLength } from '../../../../crypto/vault/item-content.ts';
import { type KeptPreference, newestOf } from '../../items/preferences.ts';
import type { VaultContents } from '../../store/vault-contents.ts';

/** One item as it is to be stored; content null is a tombstone. */
export type PlannedWrite = {
  readonly id: string;
  readonly version: number;
  readonly content: ItemContent | null;
};

/** More than stands in a batch beside its items and ids: two hashes, the sealed head, names and brackets. */
const surroundingTextLength = 2048;

type Held = { readonly write: PlannedWrite; readonly textLength: number };

/** A batch while operations are put into it: what the vault will be with it, and whether the relay takes it. */
export class BatchInProgress {
  readonly contents: VaultContents;
  #writes = new Map<string, Held>();
  #prune = new Set<string>();
  #finishTurns = new Set<string>();

  constructor(contents: VaultContents) {
    this.contents = contents;
  }

  get writes(): readonly PlannedWrite[] {
    return [...this.#writes.values()].map(({ write }) => write);
  }

  /** An id stands once in a batch. */
  get prune(): readonly string[] {
    return [...this.#prune].filter((id) => !this.#writes.has(id));
  }

  get finishTurns(): readonly string[] {
    return [...this.#finishTurns];
  }

  get isEmpty(): boolean {
    return this.#writes.size === 0 && this.#prune.size === 0 && this.#finishTurns.size === 0;
  }

  /** The batch still has room to bury an item and its reply. */
  get hasRoomToBury(): boolean {
    return this.#writes.size + 2 <= maximumBatchLength && this.#finishTurns.size < maximumBatchLength;
  }

  /**
   * Puts in all that `apply` does, or nothing of it where the relay would refuse the batch for its length.
   *
   * @returns what `apply` returns; null where there was no room for it.
   */
  fit<Result>(apply: () => Result): Result | null {
    const [writes, prune, finishTurns] = [this.#writes, this.#prune, this.#finishTurns];
    this.#writes = new Map(writes);
    this.#prune = new Set(prune);
    this.#finishTurns = new Set(finishTurns);
    const result = apply();
    if (this.#isAccepted()) return result;
    [this.#writes, this.#prune, this.#finishTurns] = [writes, prune, finishTurns];
    return null;
  }

  /** The conversation as this batch will leave it. */
  conversation(id: string): ConversationContent | null {
    const written = this.#writes.get(id)?.write;
    if (written !== undefined) return written.content?.type === 'conversation' ? written.content : null;
    return this.contents.conversations.get(id) ?? null;
  }

  /** Settings items as this batch will leave them, by id. */
  settings(): [string, SettingsContent][] {
    const settings = new Map(this.contents.settings);
    for (const { id, content } of this.writes) if (content?.type === 'settings') settings.set(id, content);
    return [...settings].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The preference of this name that counts once this batch is stored. */
  preference(name: string): KeptPreference | null {
    const preferences = new Map(this.contents.preferences);
    for (const { id, content } of this.writes) if (content?.type === 'preference') preferences.set(id, content);
    return newestOf(name, preferences);
  }

  /** True where a turn that stays rests on this verification. */
  isNamed(verificationItemId: string): boolean {
    return this.contents.turnsOf(verificationItemId).some((messageId) => !this.isBuried(messageId));
  }

  write(id: string, content: ItemContent | null): void {
    const version = (this.contents.rows.get(id)?.version ?? 0) + 1;
    const write = { id, version, content };
    this.#writes.set(id, { write, textLength: textLengthOf(write) });
  }

  isBuried(id: string): boolean {
    return this.#writes.get(id)?.write.content === null;
  }

  /** Nothing that a batch does later brings it back. */
  bury(id: string): void {
    if (this.contents.isLive(id)) this.write(id, null);
    else this.#writes.delete(id);
  }

  /** Its leaf is forgotten. */
  forget(id: string): void {
    this.#prune.add(id);
  }

  /** Its transcript is no longer needed. */
  finishTurn(turnId: string): void {
    this.#finishTurns.add(turnId);
  }

  #isAccepted(): boolean {
    const { prune, finishTurns } = this;
    const longest = Math.max(this.#writes.size, prune.length, finishTurns.length);
    let textLength = surroundingTextLength;
    for (const held of this.#writes.values()) textLength += held.textLength;
    for (const id of [...prune, ...finishTurns]) textLength += JSON.stringify(id).length + 1;
    return longest <= maximumBatchLength && textLength <= maximumBatchTextLength;
  }
}

/** The length of one write in the JSON of a batch. */
function textLengthOf({ id, version, content }: PlannedWrite): number {
  const around = JSON.stringify({ id, version, expiresAt: 0, flags: 0, body: '' }).length + 1;
  return around + (content === null ? 0 : Math.ceil((bodyLengthOf(content) * 4) / 3));
}

/** @returns Infinity for what is too long to be sealed: it fits into no batch. */
function bodyLengthOf(content: ItemContent): number {
  try {
    return sealedContentLength(content);
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'too-long') return Infinity;
    throw error;
  }
}
