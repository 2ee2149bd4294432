import { isSignedByLog, parseCheckpoint, type SignedCheckpoint } from '../../crypto/evidence/modal/checkpoint.ts';
import { hashLogLeaf } from '../../crypto/evidence/modal/inclusion-proof.ts';
import type { ModalPolicy } from '../../crypto/evidence/policy/policy.ts';
import { type Bytes, equalBytes, fromBase64Url } from '../../crypto/protocol/bytes/bytes.ts';
import { tileWidth, widthAt } from '../../crypto/evidence/modal/log-tiles.ts';
import { GrowingRoot } from './growing-root.ts';
import { DishonestLog, type LogReader } from './log-reader.ts';
import { StatementCheck } from './statement-check.ts';

/** An auditor that would need more than this reads another way. */
const maximumSize = 50_000_000;

export type AuditResult = {
  readonly checkpoint: string;
  readonly size: number;
  readonly identities: number;
  readonly foreign: number;
};

/**
 * Reads the whole log and believes nothing: every entry, every tile, the root, each statement; and that the log has only grown since
 * a checkpoint that was seen before.
 *
 * @param input.saved - A checkpoint of an earlier audit, or null.
 * @throws {DishonestLog} when the log shows something that an honest one cannot.
 * @throws {UnreadableLog} when it could not be read.
 */
export async function auditLog(input: {
  readonly reader: LogReader;
  readonly policy: ModalPolicy;
  readonly saved: string | null;
  readonly nowMs: number;
}): Promise<AuditResult> {
  const { reader, policy, nowMs } = input;
  const saved = input.saved === null ? null : verifyCheckpoint(input.saved, policy, 'The saved checkpoint');
  const note = await reader.checkpoint();
  const current = verifyCheckpoint(note, policy, 'The checkpoint');
  if (current.size > maximumSize) throw new DishonestLog('The log says that it is larger than any log of ours.');
  if (saved !== null && current.size < saved.size) throw new DishonestLog('The log is shorter than it was.');

  const root = new GrowingRoot();
  const statements = new StatementCheck(policy, nowMs);
  const full: Bytes[] = [];
  if (saved?.size === 0) compareRoots(root, saved);
  for (let place = 0; place * tileWidth < current.size; place++) {
    const [entries, leaves] = await Promise.all([
      reader.entries(place, current.size),
      reader.tile(0, place, current.size),
    ]);
    const tileRoot = new GrowingRoot();
    for (const [index, entry] of entries.entries()) {
      const leafHash = hashLogLeaf(entry);
      const leaf = leaves[index];
      if (leaf === undefined || !equalBytes(leaf, leafHash)) throw new DishonestLog('A tile does not fit its entries.');
      statements.add(entry, place * tileWidth + index);
      root.add(leafHash);
      tileRoot.add(leafHash);
      if (saved !== null && place * tileWidth + index + 1 === saved.size) compareRoots(root, saved);
    }
    if (entries.length === tileWidth) full.push(tileRoot.root());
  }
  await checkUpperTiles(reader, full, current.size);
  if (!equalBytes(root.root(), current.rootHash)) {
    throw new DishonestLog('The entries do not give the root that is signed.');
  }
  return { checkpoint: note, size: current.size, identities: statements.identities, foreign: statements.foreign };
}

function verifyCheckpoint(note: string, policy: ModalPolicy, what: string): SignedCheckpoint {
  let checkpoint: SignedCheckpoint;
  try {
    checkpoint = parseCheckpoint(note);
  } catch {
    throw new DishonestLog(`${what} is not readable.`);
  }
  if (checkpoint.origin !== policy.logOrigin || !isSignedByLog(checkpoint, fromBase64Url(policy.logPublicKey))) {
    throw new DishonestLog(`${what} is not signed by the log of the policy.`);
  }
  return checkpoint;
}

/** Both checkpoints are signed by the log, so a difference is proof of a fork. */
function compareRoots(root: GrowingRoot, saved: SignedCheckpoint): void {
  if (!equalBytes(root.root(), saved.rootHash)) {
    throw new DishonestLog('The log was rewritten: its beginning is not the log of the saved checkpoint.');
  }
}

/** Tiles above the leaves: each hash is the root of a full tile below. */
async function checkUpperTiles(reader: LogReader, roots: readonly Bytes[], size: number): Promise<void> {
  let below = roots;
  for (let level = 1; below.length > 0; level++) {
    const full: Bytes[] = [];
    for (let place = 0; place * tileWidth < below.length; place++) {
      const hashes = await reader.tile(level, place, size);
      const expected = below.slice(place * tileWidth, (place + 1) * tileWidth);
      const isSame = hashes.length === widthAt(size, { level, place }) && hashes.length === expected.length;
      if (!isSame || hashes.some((hash, index) => !equalBytes(hash, expected[index] ?? hash.subarray(1)))) {
        throw new DishonestLog('An upper tile does not fit the tiles below it.');
      }
      if (hashes.length === tileWidth) {
        const root = new GrowingRoot();
        for (const hash of hashes) root.add(hash);
        full.push(root.root());
      }
    }
    below = full;
  }
}
