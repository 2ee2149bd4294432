import fc from 'fast-check';
import * as v from 'valibot';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyEnclave } from '../../../../crypto/evidence/verify-enclave.ts';
import { evidenceItem, type ModalEvidence } from '../../../../crypto/protocol/messages/evidence-messages.ts';
import { randomBytes } from '../../../../crypto/protocol/bytes/bytes.ts';
import { testNowMs } from '../../../parts/evidence/vendors/certificate-maker.ts';
import {
  makeModalAttestation,
  type ModalAttestation,
  ModalMachine,
  modalPolicy,
} from '../../../parts/evidence/modal/modal-machine.ts';

/* Whatever happens to a piece of evidence on its way, it is refused: by the schema or by a code, never by a crash. */

const machine = new ModalMachine();
const nonce = randomBytes(32);
const policy = modalPolicy(machine.policy);
const run = { seed: 20_261_122, numRuns: 400 };
let answer: ModalAttestation;
let piece: ModalEvidence;
beforeAll(async () => {
  answer = await makeModalAttestation({
    nonce,
    evidence: (identityPublicKey) => [machine.makeEvidence({ identityPublicKey })],
  });
  piece = answer.evidence[0] as ModalEvidence;
});

/** `schema`, a code, or `accepted`. */
async function outcome(evidence: unknown): Promise<string> {
  if (!v.is(evidenceItem, evidence)) return 'schema';
  const asked = { attestation: { ...answer, evidence: [evidence] }, nonce, model: 'default', policy, nowMs: testNowMs };
  const verdict = await verifyEnclave({ ...asked, minimum: 'stated' });
  return verdict.refused ? verdict.code : 'accepted';
}

const codes = new Set(['schema', 'malformed', 'signature', 'log', 'kind-not-allowed']);

const members = ['identityPublicKey', 'statement', 'signature', 'checkpoint', 'leafIndex', 'inclusionProof'] as const;

describe('modal evidence', () => {
  test('the twin is accepted', async () => {
    expect(await outcome(piece)).toBe('accepted');
  });

  test('with one character of its JSON changed', async () => {
    const text = JSON.stringify(piece);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(text.length - 1),
        fc.constantFrom('A', 'z', '0', '9', '-', '_', '+', '/', '=', ' ', '\n', '\u2014', '"', '{', '}', '[', ','),
        fc.constantFrom('replace', 'insert', 'remove'),
        async (place, character, how) => {
          const rest = text.slice(how === 'insert' ? place : place + 1);
          const changed = text.slice(0, place) + (how === 'remove' ? '' : character) + rest;
          let value: unknown;
          try {
            value = JSON.parse(changed);
          } catch {
            return;
          }
          // Blanks between its members are no change.
          if (JSON.stringify(value) === text) return;
          expect(codes).toContain(await outcome(value));
        },
      ),
      run,
    );
  });

  test('with a member of another kind, or of chance', async () => {
    const base64Url = fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes).toString('base64url'));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...members),
        fc.oneof(fc.anything(), base64Url, fc.nat(), fc.array(base64Url, { maxLength: 70 })),
        async (member, value) => {
          if (JSON.stringify(value) === JSON.stringify(piece[member])) return;
          expect(codes).toContain(await outcome({ ...piece, [member]: value }));
        },
      ),
      run,
    );
  });

  test('put together from two that are accepted', async () => {
    const other = machine.makeEvidence({ identityPublicKey: randomBytes(32), logSize: 13, place: 7 });
    for (let chosen = 1; chosen < 2 ** members.length - 1; chosen++) {
      const mixed = Object.fromEntries(
        members.map((member, bit) => [member, ((chosen >> bit) & 1 ? other : piece)[member]]),
      );
      expect(['signature', 'identity-mismatch', 'log']).toContain(await outcome({ kind: 'modal', ...mixed }));
    }
  });
});
