import { createHash } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { publicKeyOf } from '../../../crypto/evidence/modal/ed25519.ts';
import { verifyInclusion } from '../../../crypto/evidence/modal/inclusion-proof.ts';
import { randomBytes } from '../../../crypto/protocol/bytes/bytes.ts';
import { LogTree } from '../../../registrar/public-log/log-tree.ts';
import { readTile } from '../../../registrar/public-log/read-tile.ts';
import { widthAt } from '../../../crypto/evidence/modal/log-tiles.ts';
import { RegistrarDatabase } from '../../../registrar/storage/registrar-database.ts';
import { auditPath, leafHash, treeHash } from '../../parts/evidence/modal/paper-log.ts';
import { makeTemporaryFolder } from '../../parts/machine/temporary-folder.ts';

const log = { origin: 'log.test/1', publicKey: publicKeyOf(randomBytes(32)), statementPublicKey: randomBytes(32) };

async function openTree(): Promise<{ tree: LogTree; database: RegistrarDatabase }> {
  const folder = await makeTemporaryFolder('log-tree');
  const database = RegistrarDatabase.open(folder.path, log);
  onTestFinished(async () => {
    database.close();
    await folder.remove();
  });
  return { tree: new LogTree(database), database };
}

const entryAt = (place: number) => Buffer.from(`entry ${place}`);

describe('LogTree', () => {
  test('roots and proofs of every size to 300, as the definition has them', async () => {
    const { tree, database } = await openTree();
    const leaves: Buffer[] = [];
    database.transaction(() => {
      for (let place = 0; place < 300; place++) {
        expect(tree.append(entryAt(place))).toBe(place);
        leaves.push(leafHash(entryAt(place)));
        expect(Buffer.from(tree.rootAt(place + 1))).toEqual(treeHash(leaves));
      }
    });
    expect(Buffer.from(tree.rootAt(0))).toEqual(treeHash([]));
    for (const size of [1, 2, 3, 7, 8, 9, 255, 256, 257, 300]) {
      const first = leaves.slice(0, size);
      const rootHash = tree.rootAt(size);
      for (const leafIndex of new Set(
        [0, 1, size >> 1, size - 2, size - 1].filter((place) => place >= 0 && place < size),
      )) {
        const proof = tree.inclusionProof(leafIndex, size);
        expect(proof.map((hash) => Buffer.from(hash))).toEqual(auditPath(leafIndex, first));
        expect(verifyInclusion({ leafHash: first[leafIndex]!, leafIndex, size, rootHash, proof })).toBe(true);
      }
    }
  });

  test('a log of 70,000 entries has the tiles that tlog-tiles counts', async () => {
    const { tree, database } = await openTree();
    const size = 70_000;
    database.transaction(() => {
      for (let place = 0; place < size; place++) tree.append(entryAt(place));
    });
    const widths = (level: number | 'entries', count: number) =>
      Array.from({ length: count }, (_, place) => widthAt(size, { level, place }));
    expect(widths(0, 275)).toEqual([...Array.from({ length: 273 }, () => 256), 112, 0]);
    expect(widths('entries', 275)).toEqual(widths(0, 275));
    expect(widths(1, 3)).toEqual([256, 17, 0]);
    expect([widths(2, 2), widths(3, 1)]).toEqual([[1, 0], [0]]);

    const tile = (level: number, place: number, width = 256) => readTile(tree, { level, place, width }, size);
    const hashes = (bytes: Uint8Array) =>
      Array.from({ length: bytes.length / 32 }, (_, index) => Buffer.from(bytes.subarray(32 * index, 32 * index + 32)));
    const level1 = [...hashes(tile(1, 0)!), ...hashes(tile(1, 1, 17)!)];
    for (const place of [0, 255, 272]) expect(level1[place]).toEqual(treeHash(hashes(tile(0, place)!)));
    expect(hashes(tile(2, 0, 1)!)).toEqual([treeHash(level1.slice(0, 256))]);
    // Nothing beyond what is there.
    expect([tile(0, 273), tile(0, 273, 113), tile(1, 1, 18), tile(2, 0), tile(3, 0, 1), tile(63, 0, 1)]).toEqual(
      Array.from({ length: 6 }, () => null),
    );
    expect(tile(0, 273, 112)).toHaveLength(112 * 32);
    // Nor beyond what was published, although it is there.
    expect(readTile(tree, { level: 0, place: 0, width: 256 }, 255)).toBeNull();
    expect(readTile(tree, { level: 0, place: 0, width: 255 }, 255)).toHaveLength(255 * 32);

    const rest = hashes(tile(0, 273, 112)!);
    const expected = treeHash([...level1.flatMap((_, place) => hashes(tile(0, place)!)), ...rest]);
    expect(Buffer.from(tree.rootAt(size))).toEqual(expected);
    for (const leafIndex of [0, 65_535, 65_536, 69_999]) {
      const proof = tree.inclusionProof(leafIndex, size);
      const leaf = leafHash(entryAt(leafIndex));
      expect(verifyInclusion({ leafHash: leaf, leafIndex, size, rootHash: tree.rootAt(size), proof })).toBe(true);
    }
  });

  test('a bundle holds each entry behind its length', async () => {
    const { tree, database } = await openTree();
    const entries = [Buffer.from('a'), Buffer.alloc(300, 7)];
    database.transaction(() => entries.forEach((entry) => tree.append(entry)));
    expect(Buffer.from(readTile(tree, { level: 'entries', place: 0, width: 2 }, 2)!)).toEqual(
      Buffer.concat([Buffer.of(0, 1), entries[0]!, Buffer.of(1, 44), entries[1]!]),
    );
  });

  test('a transaction that fails leaves nothing behind', async () => {
    const { tree, database } = await openTree();
    database.transaction(() => tree.append(entryAt(0)));
    const before = tree.rootAt(1);
    const fail = () =>
      database.transaction(() => {
        tree.append(entryAt(1));
        throw new Error('stopped');
      });
    expect(fail).toThrow('stopped');
    expect([tree.size, tree.hashes(0, 0, 10).length, tree.rootAt(1)]).toEqual([1, 1, before]);
    expect(database.transaction(() => tree.append(entryAt(1)))).toBe(1);
  });
});

test('the hashes of the paper log are SHA-256 with its prefixes', () => {
  expect(leafHash(Buffer.from('x'))).toEqual(createHash('sha256').update('\0x').digest());
});
