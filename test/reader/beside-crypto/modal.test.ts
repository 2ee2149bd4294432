import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EvidenceRefused } from '../../../crypto/evidence/policy/evidence-step.ts';
import { isSignedByLog, parseCheckpoint } from '../../../crypto/evidence/modal/checkpoint.ts';
import { verifyInclusion } from '../../../crypto/evidence/modal/inclusion-proof.ts';
import { verifyModal } from '../../../crypto/evidence/modal/verify-modal.ts';
import type { KeyStatement } from '../../../crypto/protocol/messages/enclave-messages.ts';
import type { ModalEvidence } from '../../../crypto/protocol/messages/evidence-messages.ts';
import { CryptoError } from '../../../crypto/protocol/bytes/errors.ts';
import modalVectors from '../../vectors/sotto-v1-modal.json' with { type: 'json' };
import { ed25519PublicKey } from '../primitives/ed25519.ts';
import { isOfLog, judgeModal, readCheckpoint, rootOf } from '../evidence/registrar.ts';
import { fromHex } from '../vectors/vectors.ts';

/* The two readers of SPEC.md §9.6 say the same of everything. */

const { log, trees } = modalVectors;
const publicKey = new Uint8Array(ed25519PublicKey(fromHex(log.logSeed)));
const note = log.checkpoints[3]!;
const run = { seed: 20_261_122, numRuns: 3_000 };

function production(text: string): string {
  try {
    const checkpoint = parseCheckpoint(text);
    return `${checkpoint.origin} ${checkpoint.size} ${isSignedByLog(checkpoint, publicKey)}`;
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
}
function reader(text: string): string {
  const checkpoint = readCheckpoint(text);
  if (checkpoint === null) return 'malformed';
  return `${checkpoint.origin} ${checkpoint.size} ${isOfLog(checkpoint, publicKey)}`;
}

describe('the two readers agree', () => {
  test('on checkpoints put together from right and wrong lines', () => {
    const [origin = '', size = '', root = '', , signature = ''] = note.split('\n');
    const line = fc.oneof(
      fc.constantFrom(origin, size, root, '', signature, signature.replace('\u2014', '-'), `${signature}=`),
      fc.constantFrom(
        '0',
        '00',
        '01',
        '9007199254740991',
        '9007199254740992',
        'a+b',
        '\u2014 w.example AAAAAAA=',
        'AAAA',
      ),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    const right = [origin, size, root, '', signature, ''];
    const lines = fc.oneof(
      { weight: 3, arbitrary: fc.tuple(fc.nat(5), line).map(([place, other]) => right.with(place, other)) },
      { weight: 2, arbitrary: fc.tuple(fc.nat(6), line).map(([place, other]) => right.toSpliced(place, 0, other)) },
      { weight: 1, arbitrary: fc.nat(5).map((place) => right.toSpliced(place, 1)) },
      { weight: 1, arbitrary: fc.array(line, { maxLength: 8 }) },
    );
    const seen = new Set<string>();
    fc.assert(
      fc.property(lines, (chosen) => {
        const text = chosen.join('\n');
        seen.add(reader(text).split(' ').at(-1) ?? '');
        expect(production(text)).toBe(reader(text));
      }),
      run,
    );
    // Signed, unsigned and malformed ones were among them.
    expect([...seen].toSorted()).toEqual(['false', 'malformed', 'true']);
  });

  test('on proofs', () => {
    const tree = fc.constantFrom(...trees.filter(({ leafHashes }) => leafHashes.length > 0));
    let accepted = 0;
    fc.assert(
      fc.property(tree, fc.nat(9), fc.nat(9), fc.nat(3), fc.nat(10), (chosen, place, other, cut, size) => {
        const from = place % chosen.leafHashes.length;
        const leafHash = fromHex(chosen.leafHashes[from]!);
        const proof = chosen.proofs[from]!.map(fromHex).slice(cut > 1 ? 0 : cut);
        const leafIndex = other > 4 ? from : other;
        const asked = size > 5 ? chosen.leafHashes.length : size;
        const rootHash = fromHex(chosen.rootHash);
        const found = leafIndex < asked ? rootOf(leafHash, leafIndex, asked, proof) : null;
        const isIn = found !== null && Buffer.from(found).equals(rootHash);
        if (isIn) accepted++;
        expect(verifyInclusion({ leafHash, leafIndex, size: asked, rootHash, proof })).toBe(isIn);
      }),
      run,
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test.each(log.cases)('on evidence: $name', ({ piece, policy, result, maximumAgeMs, enclaveMs, clientMs }) => {
    let code = 'accepted';
    try {
      verifyModal({
        evidence: piece as ModalEvidence,
        policy,
        // This verifier looks at the time of the key statement alone.
        statement: { issuedAtMs: enclaveMs } as KeyStatement,
        maximumAgeMs,
        nowMs: clientMs,
        steps: [],
      });
    } catch (error) {
      if (!(error instanceof EvidenceRefused)) throw error;
      code = error.code;
    }
    expect([code, judgeModal(piece, policy, { maximumAgeMs, enclaveMs, clientMs })]).toEqual([result, result]);
  });
});
