import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import modalVectors from '../../vectors/sotto-v1-modal.json' with { type: 'json' };
import { writeCanonicalJson } from '../protocol/canonical-json.ts';
import { join, utf8 } from '../protocol/conventions.ts';
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from '../primitives/ed25519.ts';
import {
  isOfLog,
  judgeModal,
  keyIdOf,
  leafHash,
  possessionSignedBytes,
  readCheckpoint,
  rootOf,
  statementSignedBytes,
} from '../evidence/registrar.ts';
import { fromHex, toHex } from './vectors.ts';

const { possessions, trees, log } = modalVectors;

test.each(possessions)('possession: $kind', (entry) => {
  const seed = fromHex(entry.identitySeed);
  const signed = possessionSignedBytes(entry.kind, fromHex(entry.challenge), entry.identityToken);
  expect(toHex(ed25519PublicKey(seed))).toBe(entry.identityPublicKey);
  expect(toHex(ed25519Sign(seed, signed))).toBe(entry.signature);
  expect(ed25519Verify(fromHex(entry.identityPublicKey), signed, fromHex(entry.signature))).toBe(true);
});

test.each(trees)('tree of $leafHashes.length entries', ({ leafHashes, rootHash, proofs }) => {
  expect(proofs).toHaveLength(leafHashes.length);
  for (const [place, leaf] of leafHashes.entries()) {
    const proof = proofs[place]!.map(fromHex);
    const root = rootOf(fromHex(leaf), place, leafHashes.length, proof);
    expect(root === null ? null : toHex(root)).toBe(rootHash);
    expect(rootOf(fromHex(leaf), place, leafHashes.length, [...proof, fromHex(rootHash)])).toBeNull();
  }
});

test.each(log.statements)('statement about $value.identityPublicKey', (entry) => {
  const seed = fromHex(log.statementSeed);
  const statement = writeCanonicalJson(entry.value);
  expect(toHex(statement)).toBe(entry.statement);
  const signature = ed25519Sign(seed, statementSignedBytes(statement));
  expect(toHex(signature)).toBe(entry.signature);
  expect(toHex(join(signature, statement))).toBe(entry.entry);
  expect(toHex(leafHash(fromHex(entry.entry)))).toBe(entry.leafHash);
});

test.each(log.checkpoints.map((note, size) => ({ note, size })))('checkpoint of size $size', ({ note, size }) => {
  const seed = fromHex(log.logSeed);
  const publicKey = ed25519PublicKey(seed);
  const read = readCheckpoint(note);
  expect(read).toMatchObject({ size, origin: 'registrar.example.com/log-1' });
  expect(isOfLog(read!, publicKey)).toBe(true);
  // Written again from its three lines.
  const text = note.split('\n\n')[0]! + '\n';
  const line = Buffer.from(join(keyIdOf(read!.origin, publicKey), ed25519Sign(seed, utf8(text)))).toString('base64');
  expect(`${text}\n\u2014 ${read!.origin} ${line}\n`).toBe(note);
});

test.each(log.cases)('evidence: $name is $result', ({ piece, policy, result, ...clocks }) => {
  expect(judgeModal(piece, policy, clocks)).toBe(result);
});

test('the example of the page is one of them', () => {
  const page = readFileSync(new URL('../../../crypto/SPEC.md', import.meta.url), 'utf8');
  expect(page).toContain(`\`\`\`\n${log.checkpoints[3]!}\`\`\`\n`);
});
