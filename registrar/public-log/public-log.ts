import { isSignedByLog, parseCheckpoint, signCheckpoint } from '../../crypto/evidence/modal/checkpoint.ts';
import { type Bytes, equalBytes, toBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import type { RegistrarKeys } from '../registrar-keys.ts';
import { StartError } from '../../process/start-error.ts';
import type { RegistrarDatabase } from '../storage/registrar-database.ts';
import { LogTree } from './log-tree.ts';

/** An entry, and the proof that it is in the log whose checkpoint goes with it. */
export type LoggedEntry = {
  readonly checkpoint: string;
  readonly size: number;
  /** base64url */
  readonly rootHash: string;
  readonly leafIndex: number;
  readonly inclusionProof: readonly Bytes[];
};

type Dependencies = {
  readonly database: RegistrarDatabase;
  readonly origin: string;
  readonly key: RegistrarKeys['log'];
};

/** The append-only log of statements (SPEC.md §9.6): entries, tiles and one signed checkpoint for each size. */
export class PublicLog {
  readonly tree: LogTree;
  readonly #dependencies: Dependencies;

  /** @throws {StartError} when the file is not the log that its last checkpoint says. */
  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    this.tree = new LogTree(dependencies.database);
    if (this.#lastNote() === null) dependencies.database.transaction(() => this.#sign(0));
    this.#check();
  }

  /**
   * Appends an entry and signs the new size, inside a transaction of the caller: nobody may see either before it is over.
   */
  append(entry: Uint8Array): LoggedEntry {
    const leafIndex = this.tree.append(entry);
    const size = leafIndex + 1;
    const checkpoint = this.#sign(size);
    const { rootHash } = this.last();
    return { checkpoint, size, rootHash, leafIndex, inclusionProof: this.tree.inclusionProof(leafIndex, size) };
  }

  /** The last checkpoint on the disk. */
  last(): { readonly note: string; readonly size: number; readonly rootHash: string } {
    const note = this.#lastNote();
    if (note === null) throw new Error('A log has a checkpoint from its first moment.');
    const { size, rootHash } = parseCheckpoint(note);
    return { note, size, rootHash: toBase64Url(rootHash) };
  }

  #sign(size: number): string {
    const { database, origin, key } = this.#dependencies;
    const note = signCheckpoint({ origin, size, rootHash: this.tree.rootAt(size) }, key);
    database.run('insert into checkpoint (size, note) values (?, ?)', size, note);
    return note;
  }

  #lastNote(): string | null {
    const row = this.#dependencies.database.get('select note from checkpoint order by size desc limit 1');
    return row === undefined ? null : String(row['note']);
  }

  /** A file that was changed or half restored must not be signed on. */
  #check(): void {
    const checkpoint = parseCheckpoint(this.last().note);
    const { size, rootHash } = checkpoint;
    const isOurs = isSignedByLog(checkpoint, this.#dependencies.key.publicKey) && size === this.tree.size;
    if (!isOurs || !this.tree.isWhole() || !equalBytes(this.tree.rootAt(size), rootHash)) {
      throw new StartError(
        'The log is damaged: its entries are not those of its last checkpoint. Do not sign on; ask OPERATING.md.',
      );
    }
  }
}
